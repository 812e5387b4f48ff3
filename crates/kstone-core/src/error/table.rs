//! How a table of texts becomes an enum of reasons.

/// Makes of a table of texts an enum whose variants are the reasons, with what their sentences quote as fields.
///
/// A line is a name, its fields, its [`Family`](crate::error::Family), kstone's sentence and, where it is another one,
/// DynamoDB's. Each crate has one such table for what it refuses itself.
///
/// ```
/// use kstone_core::error::{Dialect, Family};
///
/// kstone_core::texts! {
///     /// Why a visitor is sent away.
///     pub enum Why;
///     Closed Data "the shop is closed";
///     TooMany { found: usize } Request "too many visitors: {found}" | "too many visitors";
/// }
/// let why = Why::TooMany { found: 9 };
/// assert_eq!((why.name(), why.family()), ("TooMany", Family::Request));
/// assert_eq!(why.text(Dialect::Kstone), "too many visitors: 9");
/// assert_eq!(why.text(Dialect::DynamoDb), "too many visitors");
/// assert_eq!((why.to_string(), format!("{why:#}")), (why.text(Dialect::Kstone), why.text(Dialect::DynamoDb)));
/// assert_eq!(Why::NAMES, ["Closed", "TooMany"]);
/// # let _ = Why::Closed;
/// ```
#[macro_export]
macro_rules! texts {
    (
        $(#[$attribute:meta])* pub enum $reason:ident;
        $($name:ident $({ $($field:ident : $type:ty),+ })? $family:ident $kstone:literal $(| $dynamodb:literal)?;)*
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the table is the documentation: each name stands next to its sentence")]
        pub enum $reason { $($name $({ $($field: $type),+ })?,)* }

        impl $reason {
            /// The names of all of these.
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];

            /// This one's name.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name { .. } => stringify!($name),)* }
            }

            /// This one's family.
            #[must_use]
            pub fn family(&self) -> $crate::error::Family {
                match self { $(Self::$name { .. } => $crate::error::Family::$family,)* }
            }

            /// The sentence in a dialect.
            #[must_use]
            pub fn text(&self, dialect: $crate::error::Dialect) -> String {
                dialect.text_of(self)
            }
        }

        /// kstone's sentence; the alternate form is DynamoDB's.
        impl ::std::fmt::Display for $reason {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self {
                    $(Self::$name $({ $($field),+ })? => {
                        $($(let _ = $field;)+)?
                        $(if f.alternate() {
                            return write!(f, $dynamodb);
                        })?
                        write!(f, $kstone)
                    })*
                }
            }
        }
    };
}
