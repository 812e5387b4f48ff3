//! Answers DynamoDB's requests from standard input, one JSON object a line, until it ends.
//!
//! ```text
//! {"target":"DynamoDB_20120810.GetItem","body":"{…}"}   ─►  {"status":200,"body":"{…}"}
//! {"reset":true}                                        ─►  {"status":200,"body":""}, and the account is empty
//! {"time":1700000000}                                   ─►  the same, and that is the account's time
//! ```

use std::io::{self, BufRead, Write};

use kstone_dynamodb::{Account, AccountOptions, Response};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    target: Option<String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    reset: bool,
    time: Option<i64>,
}

#[derive(Serialize)]
struct Answer<'a> {
    status: u16,
    body: &'a str,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut account = Account::open(AccountOptions::default())?;
    let mut response = Response::default();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let message: Message = serde_json::from_str(&line?)?;
        if message.reset {
            account = Account::open(AccountOptions::default())?;
        }
        if let Some(seconds) = message.time {
            account.set_time(seconds);
        }
        let answer = match &message.target {
            None => Answer { status: 200, body: "" },
            Some(target) => {
                account.call(target, message.body.as_bytes(), &mut response);
                Answer { status: response.status(), body: std::str::from_utf8(response.body())? }
            }
        };
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}
