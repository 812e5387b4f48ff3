//! DynamoDB's expressions, as [`kstone_expr`] has them.

pub use kstone_expr::expression::{
    Binder, Condition, EXPRESSION_CACHE_MAX_BYTES, EXPRESSION_MAX_BYTES, Equality, ExpressionCache, KEY_PARTS_MAX,
    KeyCondition, KeySchema, Kind, OPERATORS_MAX, PATH_MAX_LEVELS, PLACEHOLDER_MAX_BYTES, Parameters, Projection,
    ReturnValues, SortCondition, Subject, Update,
};
pub(crate) use kstone_expr::expression::{
    BoundParameters, KeyPlan, ParameterNames, PreparedExpression, Preparing, Slot, ast, binder_of_names, check_paths,
    key_value, order,
};
pub use kstone_expr::{Dialect, Place, Reason, Refusal, expression::build};
