//! Export quotas. `PN090` to `PN094`.

use super::{Code, code};

pub(super) const CODES: &[Code] = &[
    code(
        "PN090",
        "a quota does not bind every role",
        "Each role of the policy has a limit in each quota: its own entry under `limit`, else that of the \
         nearest role it extends, else that of `\"*\"`. A role without any of them would be let through \
         uncounted, which nobody would see. Give it a number, or add `\"*\"`. A limit of 0 lets nothing \
         through; somebody without an end is given a number that is never reached.",
    ),
    code(
        "PN091",
        "a limit is no number of units",
        "Records, subjects and requests are counted, so their limits are whole numbers without quotes, \
         `agent: 200`. Only a quota of `unit: bytes` may be given a size as well: `agent: 10MiB`.",
    ),
    code(
        "PN092",
        "`truncate` cannot cut this unit",
        "`on_exceed: truncate` removes whole records from an answer, so that it stays a valid document and \
         everything in it was counted. That can be done for quotas of `records` and of `subjects`. Where \
         bytes or requests are counted there is nothing to leave out; say `deny`, `step_up` or `alert`.",
    ),
    code(
        "PN093",
        "nobody is there to count for",
        "`per` says who shares one count. `tenant` needs `tenant` under `identity`, and certificates name \
         none. `session` is the credential that was presented, a token or a client certificate; a trusted \
         neighbour that sets headers presents nobody's. Such a quota would count everybody as one, or \
         nobody. Choose another `per`, or say under `identity` where the tenant is.",
    ),
    code(
        "PN094",
        "this identity cannot step up",
        "`on_exceed: step_up` refuses with a challenge that asks the client to come back with a token from \
         a stronger or newer login (RFC 9470). Only identities with `from: jwt` or `from: session` can do \
         that. Certificates and headers of a trusted neighbour stay what they are; say `deny`.",
    ),
];
