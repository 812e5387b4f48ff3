//! The shapes of requests: what AWS's service model says of every operation's input, as a static table.
//!
//! A shape is text, a number, a structure of members and so on, with the bounds that the model gives. `shapes` is made by
//! `scripts/dynamodb-model`. Where the service is known to print or demand something else than its model says,
//! [`observed`] has it, with the source.

pub mod observed;
pub mod pattern;
#[rustfmt::skip]
mod shapes;

pub use shapes::SOURCE;

/// A shape's place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeId(u16);

impl ShapeId {
    /// The shape itself.
    #[must_use]
    pub fn shape(self) -> &'static Shape {
        &shapes::SHAPES[usize::from(self.0)]
    }

    /// Its place in [`all_shapes`].
    #[must_use]
    pub fn place(self) -> usize {
        usize::from(self.0)
    }

    /// Whether this is an attribute value: the one shape that contains itself.
    #[must_use]
    pub fn is_attribute_value(self) -> bool {
        // The one structure among the parts of a value.
        self.shape().part == Part::Plain && matches!(self.shape().kind, Kind::Structure(_))
    }
}

/// The least and the most that a length or a number may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds(pub Option<i64>, pub Option<i64>);

/// What a request can hold at some place.
#[derive(Debug)]
pub struct Shape {
    /// The model's name for it, which is mostly that of the service's own class.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it is to an attribute value.
    pub part: Part,
}

/// What a shape is to an attribute value, for a reader that passes over what cannot be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Nothing.
    None,
    /// The value itself, or a member of it in which nothing can be wrong: text, bytes, truth, list and map.
    Plain,
    /// A number.
    Number,
    /// A set or null.
    Other,
}

/// What a shape is, and its bounds.
#[derive(Debug)]
pub enum Kind {
    /// A JSON string.
    Text {
        /// Of its characters.
        length: Bounds,
        /// What all of it must match.
        pattern: Option<&'static str>,
        /// All there is to choose from, where that is not empty.
        values: &'static [&'static str],
    },
    /// A whole number of 32 bits.
    Integer(Bounds),
    /// A whole number of 64 bits.
    Long(Bounds),
    /// A floating-point number.
    Double(Bounds),
    /// `true` or `false`.
    Boolean,
    /// A JSON string in Base64.
    Blob,
    /// A JSON number of seconds.
    Timestamp,
    /// A JSON array.
    List {
        /// The shape of each element.
        element: ShapeId,
        /// Of its elements.
        length: Bounds,
    },
    /// A JSON object whose names are data.
    Map {
        /// The shape of its names.
        key: ShapeId,
        /// The shape of its values.
        value: ShapeId,
        /// Of its entries.
        length: Bounds,
    },
    /// A JSON object whose names are members.
    Structure(&'static [Member]),
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it holds.
    pub shape: ShapeId,
    /// Whether the model demands it.
    pub required: bool,
}

impl Shape {
    /// The members of a structure; none of anything else.
    #[must_use]
    pub fn members(&self) -> &'static [Member] {
        match self.kind {
            Kind::Structure(members) => members,
            _ => &[],
        }
    }

    /// Whether it is a structure that has a member of this name.
    #[must_use]
    pub fn has_member(&self, name: &str) -> bool {
        self.members().iter().any(|member| member.name == name)
    }
}

/// The service that an operation belongs to: the first half of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// `DynamoDB_20120810`.
    DynamoDb,
    /// `DynamoDBStreams_20120810`.
    Streams,
}

impl Service {
    /// Of a target's first half.
    #[must_use]
    pub fn of_prefix(prefix: &str) -> Option<Self> {
        match prefix {
            "DynamoDB_20120810" => Some(Self::DynamoDb),
            "DynamoDBStreams_20120810" => Some(Self::Streams),
            _ => None,
        }
    }
}

/// One operation of a service.
#[derive(Debug)]
pub struct Operation {
    /// Its name, the second half of a target.
    pub name: &'static str,
    /// The service that has it.
    pub service: Service,
    /// The structure that its request is.
    pub input: ShapeId,
}

/// The most members that a structure of the table has: the size of what holds their places.
pub const MAX_MEMBERS: usize = 24;

/// The operation that a target names: `DynamoDB_20120810.PutItem`.
#[must_use]
pub fn operation(target: &str) -> Option<&'static Operation> {
    let (prefix, name) = target.split_once('.')?;
    let service = Service::of_prefix(prefix)?;
    // They lie in the order of their services and names.
    let found =
        shapes::OPERATIONS.binary_search_by(|operation| (operation.service, operation.name).cmp(&(service, name)));
    found.ok().map(|place| &shapes::OPERATIONS[place])
}

/// Every operation of both services.
#[must_use]
pub fn operations() -> &'static [Operation] {
    shapes::OPERATIONS
}

/// Every shape of the table.
#[must_use]
pub fn all_shapes() -> &'static [Shape] {
    shapes::SHAPES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_structure_has_more_members_than_there_are_places() {
        for shape in all_shapes() {
            assert!(shape.members().len() <= MAX_MEMBERS, "{}", shape.name);
        }
    }

    #[test]
    fn every_input_is_a_structure_and_every_operation_is_found_by_its_target() {
        for one in operations() {
            let prefix =
                if one.service == Service::DynamoDb { "DynamoDB_20120810" } else { "DynamoDBStreams_20120810" };
            let found = operation(&format!("{prefix}.{}", one.name)).unwrap();
            assert!(std::ptr::eq(found, one), "{}", one.name);
            assert!(matches!(one.input.shape().kind, Kind::Structure(_)), "{}", one.name);
        }
    }

    #[test]
    fn the_table_knows_the_vector_operations_of_2026() {
        assert!(operation("DynamoDB_20120810.SearchVectors").is_some());
        let create = operation("DynamoDB_20120810.CreateTable").unwrap();
        assert!(create.input.shape().members().iter().any(|member| member.name == "VectorIndexes"));
        assert!(operation("DynamoDBStreams_20120810.GetRecords").is_some());
        assert!(operation("DynamoDB_20120810.GetRecords").is_none());
        assert!(SOURCE.starts_with("botocore "));
    }

    #[test]
    fn the_parts_of_attribute_values_are_marked() {
        for shape in all_shapes() {
            let part = match shape.name.strip_suffix("AttributeValue") {
                Some("" | "String" | "Binary" | "Boolean" | "List" | "Map") => Part::Plain,
                Some("Number") => Part::Number,
                Some("Null" | "StringSet" | "NumberSet" | "BinarySet") => Part::Other,
                _ => Part::None,
            };
            assert_eq!(shape.part, part, "{}", shape.name);
        }
    }

    #[test]
    fn the_only_shape_that_contains_itself_is_the_attribute_value() {
        fn deepest(id: ShapeId, above: &mut Vec<u16>) {
            if id.is_attribute_value() {
                return;
            }
            assert!(!above.contains(&id.0), "{} contains itself", id.shape().name);
            above.push(id.0);
            match id.shape().kind {
                Kind::List { element, .. } => deepest(element, above),
                Kind::Map { value, .. } => deepest(value, above),
                Kind::Structure(members) => members.iter().for_each(|member| deepest(member.shape, above)),
                _ => {}
            }
            above.pop();
        }
        operations().iter().for_each(|operation| deepest(operation.input, &mut Vec::new()));
    }
}
