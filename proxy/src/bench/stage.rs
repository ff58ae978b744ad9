//! Everything that is asked: the processes of one run in a folder of their own, or a deployment that is there.
//!
//! Our own processes all start, or the run ends. A peer that does not is left out.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use futures::future::try_join_all;
use http::{HeaderMap, Uri};
use tempfile::TempDir;

use super::BenchError;
use super::child::Child;
use super::measure::LeftOut;
use super::place::{Part, Place};
use super::plan::{Deployment, Plan, Row, Size};
use super::policy::{POLICY, POLICY_FOLDER};
use super::redacted::Expected;

/// What is asked, and what keeps it there.
pub(super) struct Stage {
    // In this order: the folder goes when nobody writes to it any more.
    children: Vec<Child>,
    /// What is asked.
    pub(super) places: Vec<Place>,
    /// How large documents are.
    pub(super) sizes: Vec<Size>,
    /// Peers that did not start.
    pub(super) left_out: Vec<LeftOut>,
    _folder: Option<TempDir>,
}

impl Stage {
    /// Starts what the plan names.
    pub(super) async fn start(plan: &Plan) -> Result<Self, BenchError> {
        match &plan.deployment {
            Some(deployment) => Self::there(deployment).await,
            None => Self::of_our_own(plan).await,
        }
    }

    /// Stops what was started.
    pub(super) async fn close(self) {
        for child in self.children {
            child.close().await;
        }
    }

    async fn of_our_own(plan: &Plan) -> Result<Self, BenchError> {
        let folder = tempfile::Builder::new()
            .prefix("postern-bench-")
            .tempdir()
            .map_err(BenchError::Folder)?;
        let root = folder.path();
        let sizes: Vec<String> = plan.sizes.iter().map(Size::to_string).collect();
        let arguments = ["bench", "serve-upstream", "--sizes", &sizes.join(",")];
        let upstream = Child::start("upstream", &owned(&arguments), root, plan.threads).await?;
        let at = upstream.address.to_string();
        let arguments = ["bench", "serve-passthrough", "--upstream", &at];
        let bare = Child::start("passthrough", &owned(&arguments), root, plan.threads).await?;
        let own = |name: &str, part, child: &Child| Place {
            name: name.to_owned(),
            part,
            address: child.address,
            process: child.number(),
            path: None,
            fields: HeaderMap::new(),
            expected: Expected::Whole,
        };
        let mut places = vec![
            own("upstream", Part::Upstream, &upstream),
            own("passthrough", Part::Passthrough, &bare),
        ];
        let application = upstream.address;
        let rows = plan.rows.iter();
        let rows = rows.map(|row| postern(*row, application, (root, plan.threads)));
        let mut children = vec![upstream, bare];
        for (child, place) in try_join_all(rows).await? {
            children.push(child);
            places.push(place);
        }
        let mut left_out = Vec::new();
        // One after another: two that start at once might be given the same port.
        for peer in &plan.peers {
            match peer.start(application, (root, plan.threads)).await {
                Ok((child, place)) => {
                    children.push(child);
                    places.push(place);
                }
                Err(error) => left_out.push(LeftOut {
                    name: peer.name.clone(),
                    reason: error.to_string(),
                }),
            }
        }
        Ok(Self {
            children,
            places,
            sizes: plan.sizes.clone(),
            left_out,
            _folder: Some(folder),
        })
    }

    async fn there(deployment: &Deployment) -> Result<Self, BenchError> {
        let fields = &deployment.fields;
        let target = elsewhere("target", Part::Measured, &deployment.target, fields).await?;
        let mut length = 0;
        let mut places = Vec::new();
        if let Some(baseline) = &deployment.baseline {
            places.push(elsewhere("baseline", Part::Upstream, baseline, fields).await?);
        }
        places.push(target);
        for place in &places {
            let question = place.checked(Size(length)).await?;
            length = question.length.unwrap_or_default();
        }
        Ok(Self {
            children: Vec::new(),
            places,
            sizes: vec![Size(length)],
            left_out: Vec::new(),
            _folder: None,
        })
    }
}

/// Starts a Postern for a row, in a folder below `root`.
async fn postern(
    row: Row,
    upstream: SocketAddr,
    (root, threads): (&Path, usize),
) -> Result<(Child, Place), BenchError> {
    let folder = root.join(row.name());
    fs::create_dir_all(folder.join(POLICY_FOLDER))
        .and_then(|()| fs::write(folder.join(POLICY), row.policy()))
        .and_then(|()| fs::write(folder.join("postern.yaml"), row.server(upstream)))
        .map_err(BenchError::Folder)?;
    let arguments = owned(&["run", "-c", "postern.yaml", "--supervised"]);
    let child = Child::start(row.name(), &arguments, &folder, threads).await?;
    let place = Place::of_row(row, child.address, child.number()).await?;
    Ok((child, place))
}

/// A place at a URL.
async fn elsewhere(
    name: &str,
    part: Part,
    url: &Uri,
    fields: &HeaderMap,
) -> Result<Place, BenchError> {
    let refused = |reason| BenchError::Url {
        url: url.to_string(),
        reason,
    };
    let (Some("http"), Some(host)) = (url.scheme_str(), url.host()) else {
        return Err(refused("it is not `http://HOST[:PORT]/PATH`"));
    };
    let named = (host.trim_matches(['[', ']']), url.port_u16().unwrap_or(80));
    let mut addresses = tokio::net::lookup_host(named)
        .await
        .map_err(|_unknown| refused("nobody knows the host"))?;
    let address = addresses.next();
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    Ok(Place {
        name: name.to_owned(),
        part,
        address: address.ok_or_else(|| refused("the host has no address"))?,
        process: None,
        path: path.parse().ok(),
        fields: fields.clone(),
        expected: Expected::Anything,
    })
}

fn owned(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|text| (*text).to_owned()).collect()
}
