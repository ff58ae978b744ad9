//! The accounts of this process, found by key.
//!
//! They are spread over shards, so that identities seldom meet at a lock, and then only for one
//! look-up per exchange. An account that nobody has used for a while is returned and forgotten.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use super::account::Account;
use super::key::QuotaKey;
use super::terms::Terms;

const SHARDS: usize = 64;

type Shard = HashMap<(QuotaKey, Terms), Arc<Account>>;

/// See the module's documentation. Leases under different limits are kept apart, so that nobody spends
/// under a strict limit what was leased under a wide one.
#[derive(Debug)]
pub(super) struct Accounts {
    first: RwLock<Shard>,
    others: Vec<RwLock<Shard>>,
    hasher: RandomState,
}

impl Accounts {
    pub(super) fn new() -> Self {
        Self {
            first: RwLock::default(),
            others: (1..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    /// The account of a key under these terms.
    pub(super) fn open(&self, key: QuotaKey, terms: Terms) -> Arc<Account> {
        let name = (key, terms);
        let shard = self.shard(&name);
        let found = shard
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&name)
            .cloned();
        found.unwrap_or_else(|| {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            let account = || Arc::new(Account::new(name.0.clone(), name.1));
            Arc::clone(shard.entry(name.clone()).or_insert_with(account))
        })
    }

    /// All accounts.
    pub(super) fn all(&self) -> Vec<Arc<Account>> {
        let mut all = Vec::new();
        for shard in self.shards() {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            all.extend(shard.values().cloned());
        }
        all
    }

    /// Takes out the accounts that no exchange uses and for which `may_go` holds.
    pub(super) fn remove_unused(&self, may_go: impl Fn(&Account) -> bool) -> Vec<Arc<Account>> {
        let mut gone = Vec::new();
        for shard in self.shards() {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            // Nobody can begin to use an account while the shard is locked.
            let goes = |account: &Arc<Account>| Arc::strong_count(account) == 1 && may_go(account);
            gone.extend(
                shard
                    .extract_if(|_, account| goes(account))
                    .map(|(_, account)| account),
            );
        }
        gone
    }

    fn shards(&self) -> impl Iterator<Item = &RwLock<Shard>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn shard(&self, name: &(QuotaKey, Terms)) -> &RwLock<Shard> {
        let hash = self.hasher.hash_one(name);
        let index = usize::try_from(hash % SHARDS as u64).unwrap_or_default();
        match index.checked_sub(1) {
            Some(index) => self.others.get(index).unwrap_or(&self.first),
            None => &self.first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::samples;
    use crate::quota::terms::{Per, Unit};

    #[test]
    fn one_account_per_key_and_terms() {
        let accounts = Accounts::new();
        let quota = samples::quota(Unit::Records, Per::Identity);
        let key = QuotaKey::new(&quota, &samples::who("ana"));
        let one = accounts.open(key.clone(), samples::terms(10));
        assert!(Arc::ptr_eq(
            &one,
            &accounts.open(key.clone(), samples::terms(10))
        ));
        assert!(!Arc::ptr_eq(&one, &accounts.open(key, samples::terms(11))));
        assert_eq!(accounts.all().len(), 2);
    }

    #[test]
    fn only_what_nobody_uses_goes() {
        let accounts = Accounts::new();
        let quota = samples::quota(Unit::Records, Per::Identity);
        let open = |name| {
            accounts.open(
                QuotaKey::new(&quota, &samples::who(name)),
                samples::terms(9),
            )
        };
        let used = open("ana");
        drop(open("bob"));
        assert_eq!(accounts.remove_unused(|_| true).len(), 1);
        assert!(Arc::ptr_eq(&used, &open("ana")));
    }
}
