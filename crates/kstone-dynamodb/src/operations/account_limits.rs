//! DescribeLimits and DescribeEndpoints: what AWS says of an account that nobody raised anything for.

use crate::answer::Answer;
use crate::call::Call;
use crate::refusal::Refusal;

/// The default quotas (ack-api-quirks, DDB-TABLE-131).
pub(super) fn describe_limits(_: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    answer.object(|answer| {
        for (of, units) in [("Account", 80_000), ("Table", 40_000)] {
            answer.name(&format!("{of}MaxReadCapacityUnits")).integer(units);
            answer.name(&format!("{of}MaxWriteCapacityUnits")).integer(units);
        }
    });
    Ok(())
}

/// The endpoint of the region, as AWS names it.
pub(super) fn describe_endpoints(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let address = format!("dynamodb.{}.amazonaws.com", call.shared().catalog.place.region());
    answer.object(|answer| {
        answer.name("Endpoints").list(|answer| {
            answer.object(|answer| {
                answer.name("Address").text(&address);
                answer.name("CachePeriodInMinutes").integer(1440);
            });
        });
    });
    Ok(())
}
