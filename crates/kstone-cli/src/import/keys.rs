//! The key of an item that is imported, from its attributes.

use kstone_api::{Database, ItemRef, ItemWriter, KeyLayout, KeyPart, KeyType, Type, ValueRef};

use super::KeyNames;
use super::cells::ColumnType;
use crate::failure::Failure;

/// Which attributes are the key, and which of them must be there.
pub(super) struct Keys {
    pk: String,
    sk: Option<String>,
    /// `sk` where no key is named: items may be without it.
    sk_optional: bool,
    /// Of a typed table.
    layout: Option<KeyLayout>,
}

impl Keys {
    /// Those of a table, as its schema says or else as they are named.
    ///
    /// # Errors
    /// Where both are the same attribute, and where a typed table's key is another.
    pub(super) fn new(names: &KeyNames, layout: Option<KeyLayout>) -> Result<Self, Failure> {
        if let Some(layout) = layout {
            let parts = [Some(layout.partition()), layout.sort()].map(|part| part.map(KeyPart::name));
            for (given, own) in [&names.key, &names.sort].into_iter().zip(parts) {
                if let Some(given) = given.as_deref().filter(|given| Some(*given) != own) {
                    let own = own.unwrap_or("no attribute");
                    let what = format!("the table's schema names its key: {given} cannot stand for {own}");
                    return Err(Failure::message(what));
                }
            }
            let [pk, sk] = parts.map(|name| name.map(str::to_owned));
            return Ok(Self { pk: pk.unwrap_or_default(), sk, sk_optional: false, layout: Some(layout) });
        }
        let pk = names.key.clone().unwrap_or_else(|| "pk".to_owned());
        let sk_optional = names.key.is_none() && names.sort.is_none();
        let sk = if sk_optional { Some("sk".to_owned()) } else { names.sort.clone() };
        if sk.as_ref() == Some(&pk) {
            return Err(Failure::message(format!("{pk} cannot be both the partition key and the sort key")));
        }
        Ok(Self { pk, sk, sk_optional, layout: None })
    }

    /// The names of the attributes that are the key.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.pk.as_str()).chain(self.sk.as_deref())
    }

    /// The names that every file must have.
    pub(super) fn required(&self) -> impl Iterator<Item = &str> {
        let sk = self.sk.as_deref().filter(|_| !self.sk_optional);
        std::iter::once(self.pk.as_str()).chain(sk)
    }

    /// Whether an attribute that is none of them cannot be in an item, since the key itself is called so.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.layout.is_none() && ["pk", "sk"].contains(&name) && !self.names().any(|key| key == name)
    }

    /// The type of a column of the key, where the table's schema says it.
    pub(super) fn column_type(&self, name: &str) -> Option<ColumnType> {
        let part = self.layout.as_ref()?.parts().find(|part| part.name() == name)?;
        part.type_().map(|type_| match type_ {
            KeyType::S => ColumnType::Text,
            KeyType::N => ColumnType::Number,
            KeyType::B => ColumnType::Binary,
        })
    }

    /// Puts an item under the key that its attributes are.
    ///
    /// # Errors
    /// Where they are not there or are no keys; what the put returns.
    pub(super) fn put(&self, db: &Database, item: &mut ItemWriter) -> Result<(), Failure> {
        if self.layout.is_some() {
            return Ok(db.put_item_body(item.finish())?);
        }
        let pk = key(item.as_item(), &self.pk)?.ok_or_else(|| missing(&self.pk))?;
        let sk = match &self.sk {
            Some(name) => match key(item.as_item(), name)? {
                None if !self.sk_optional => return Err(missing(name)),
                sk => sk.unwrap_or_default(),
            },
            None => Vec::new(),
        };
        for name in ["pk", "sk"] {
            if self.pk == name || self.sk.as_deref() == Some(name) {
                item.remove(name);
            }
        }
        Ok(db.put_body(&pk, &sk, item.finish())?)
    }
}

fn missing(name: &str) -> Failure {
    Failure::message(format!("the key attribute {name} is missing"))
}

/// The bytes of a key attribute: of an S, a B, or of an N in its canonical form.
fn key(item: ItemRef<'_>, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    let bytes = |value: ValueRef<'_>| match value.type_() {
        Type::S | Type::N | Type::B => Ok(value.payload().to_vec()),
        other => {
            Err(Failure::message(format!("the key attribute {name} is of type {}, it may be S, B or N", other.name())))
        }
    };
    item.get(name).map(bytes).transpose()
}
