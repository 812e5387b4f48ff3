use super::*;
use crate::engine::EngineOptions;
use crate::key::KeyRef;

/// A commit waits for the locks of its keys and takes what it needs beyond them only where it is free: of two that
/// want each other's stripes none waits for ever, and one that gives up has changed nothing.
#[test]
fn what_is_locked_out_of_order_is_tried_alone() {
    let engine = Engine::new(EngineOptions::default()).expect("created");
    let names: Vec<[u8; 1]> = (0..8).map(|name| [name]).collect();
    let mut keys: Vec<RoutedKey<'_>> = names.iter().map(|name| KeyRef::new(name, b"").expect("valid").into()).collect();
    keys.sort_by_key(RoutedKey::stripe);
    let (low, high) = (keys[0], keys[7]);
    let mut first = Commit::new();
    first.lock([(&engine, high.stripe())].into_iter()).expect("locked");
    assert!(first.try_lock(&engine, high.stripe()).expect("sound"), "what is locked is");
    let mut second = Commit::new();
    second.lock([(&engine, low.stripe())].into_iter()).expect("locked");
    assert!(!second.try_lock(&engine, high.stripe()).expect("sound"));
    assert!(!first.try_lock(&engine, low.stripe()).expect("sound"));
    drop(second);
    assert!(first.try_lock(&engine, low.stripe()).expect("sound"), "below what is held");
    let put = |key: &RoutedKey<'_>| (key.route(), Record::put_pieces(key, &[b"", b""]));
    first.write(&engine, [put(&high), put(&low)]);
    assert_eq!(engine.stats().expect("counted").items, 2);
    assert!(engine.get(low.key()).expect("sound").is_some() && engine.get(high.key()).expect("sound").is_some());
}

#[test]
fn a_commit_locks_each_stripe_once_whatever_the_order_of_its_keys() {
    let engine = Engine::new(EngineOptions::default()).expect("created");
    let names: Vec<[u8; 2]> = (0..600_u16).map(u16::to_be_bytes).collect();
    let keys: Vec<RoutedKey<'_>> =
        names.iter().rev().map(|name| KeyRef::new(name, b"").expect("valid").into()).collect();
    let mut commit = Commit::new();
    commit.lock(keys.iter().map(|key| (&engine, key.stripe()))).expect("locked");
    assert!(commit.locked.is_sorted_by(|one, next| one.place < next.place));
    commit.write(&engine, keys.iter().map(|key| (key.route(), Record::put_pieces(key, &[]))));
    assert_eq!(engine.stats().expect("counted").items, 600);
}
