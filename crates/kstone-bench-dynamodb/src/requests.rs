//! The bodies that are sent: made before anything is timed, the same for both sides.

use crate::args::Plan;
use crate::engine::Operation;

/// How many items a partition has: as many as a query finds.
pub(crate) const ITEMS_OF_A_PARTITION: usize = 10;
/// The table that is filled once, read and updated.
const FILLED: &str = "Orders";
/// The table that is made anew for each measurement of puts of new items.
const FRESH: &str = "Arrivals";
/// How many items a transaction puts.
const PUTS_OF_A_TRANSACTION: usize = 4;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    PutNew,
    PutOver,
    Get,
    Query,
    Update,
    Transact,
}

impl Workload {
    pub(crate) const ALL: [Self; 6] =
        [Self::PutNew, Self::PutOver, Self::Get, Self::Query, Self::Update, Self::Transact];

    /// What the table calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PutNew => "PutItem, new",
            Self::PutOver => "PutItem, over one",
            Self::Get => "GetItem",
            Self::Query => "Query of 10",
            Self::Update => "UpdateItem",
            Self::Transact => "TransactWriteItems of 4",
        }
    }

    pub(crate) fn operation(self) -> Operation {
        match self {
            Self::PutNew | Self::PutOver => Operation::PutItem,
            Self::Get => Operation::GetItem,
            Self::Query => Operation::Query,
            Self::Update => Operation::UpdateItem,
            Self::Transact => Operation::TransactWriteItems,
        }
    }
}

/// Makes the table that is filled once.
pub(crate) fn create_filled() -> String {
    create(FILLED)
}

/// Makes the table of new items.
pub(crate) fn create_fresh() -> String {
    create(FRESH)
}

/// Drops the table of new items.
pub(crate) fn delete_fresh() -> String {
    format!(r#"{{"TableName":"{FRESH}"}}"#)
}

/// The puts that fill the table.
pub(crate) fn filling(records: usize) -> impl Iterator<Item = String> {
    (0..records).map(|number| put(FILLED, number, 0))
}

/// The bodies of a workload in one round, to items in random order that is the same in every run.
pub(crate) fn bodies(plan: &Plan, workload: Workload, round: usize) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed((round * Workload::ALL.len() + workload as usize) as u64);
    let mut new: Vec<usize> = (0..plan.operations).collect();
    random.shuffle(&mut new);
    let mut any = || random.usize(..plan.records);
    let body = |number: usize| match workload {
        Workload::PutNew => put(FRESH, number, round),
        Workload::PutOver => put(FILLED, any(), round),
        Workload::Get => format!(r#"{{"TableName":"{FILLED}","Key":{}}}"#, key(any())),
        Workload::Query => query(any()),
        Workload::Update => update(any()),
        Workload::Transact => transact(std::array::from_fn(|_| any()), plan.records, round),
    };
    new.into_iter().map(body).collect()
}

fn create(table: &str) -> String {
    format!(
        r#"{{"TableName":"{table}","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{{"AttributeName":"pk","AttributeType":"S"}},{{"AttributeName":"sk","AttributeType":"S"}}],"KeySchema":[{{"AttributeName":"pk","KeyType":"HASH"}},{{"AttributeName":"sk","KeyType":"RANGE"}}]}}"#
    )
}

/// The members of the key of an item by its number.
fn key_members(number: usize) -> String {
    let (partition, place) = (number / ITEMS_OF_A_PARTITION, number % ITEMS_OF_A_PARTITION);
    format!(r#""pk":{{"S":"customer-{partition:07}"}},"sk":{{"S":"order-{place:05}"}}"#)
}

fn key(number: usize) -> String {
    format!("{{{}}}", key_members(number))
}

/// An item of five attributes, the two of its key among them.
fn item(number: usize, round: usize) -> String {
    let city = ["Utrecht", "Groningen", "Maastricht", "Leeuwarden"][number % 4];
    format!(
        r#"{{{},"n":{{"N":"{}"}},"paid":{{"BOOL":true}},"city":{{"S":"{city}"}}}}"#,
        key_members(number),
        number + round
    )
}

fn put(table: &str, number: usize, round: usize) -> String {
    format!(r#"{{"TableName":"{table}","Item":{}}}"#, item(number, round))
}

fn query(number: usize) -> String {
    let partition = number / ITEMS_OF_A_PARTITION;
    format!(
        r#"{{"TableName":"{FILLED}","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{{":p":{{"S":"customer-{partition:07}"}}}}}}"#
    )
}

fn update(number: usize) -> String {
    format!(
        r#"{{"TableName":"{FILLED}","Key":{},"UpdateExpression":"SET n = n + :x","ExpressionAttributeValues":{{":x":{{"N":"1"}}}}}}"#,
        key(number)
    )
}

/// Puts of items that differ, as DynamoDB wants it: each in a part of the table of its own.
fn transact(random: [usize; PUTS_OF_A_TRANSACTION], records: usize, round: usize) -> String {
    let part = records / PUTS_OF_A_TRANSACTION;
    let mut puts = String::new();
    for (place, number) in random.into_iter().enumerate() {
        let separator = if place == 0 { "" } else { "," };
        let put = put(FILLED, place * part + number % part, round);
        puts.push_str(&format!(r#"{separator}{{"Put":{put}}}"#));
    }
    format!(r#"{{"TransactItems":[{puts}]}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_and_the_same_in_every_run() {
        let plan = Plan { records: 40, operations: 30, rounds: 1 };
        for workload in Workload::ALL {
            let bodies = bodies(&plan, workload, 3);
            assert_eq!(bodies.len(), plan.operations);
            assert_eq!(bodies, super::bodies(&plan, workload, 3));
            for body in bodies {
                let _: serde_json::Value = serde_json::from_str(&body).expect("a body is JSON");
            }
        }
    }

    #[test]
    fn new_items_are_new() {
        let plan = Plan { records: 40, operations: 30, rounds: 1 };
        let bodies: std::collections::HashSet<String> = bodies(&plan, Workload::PutNew, 0).into_iter().collect();
        assert_eq!(bodies.len(), plan.operations);
    }
}
