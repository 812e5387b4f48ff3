//! The names and values that the expressions of one request use, as a request gathers them.

use crate::error::Result;
use kstone_core::value::{Item, Value};

use crate::expression::Parameters;

/// Names and values, one by one from Rust or in one bag from other languages.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestParameters {
    names: Vec<(String, String)>,
    /// None while there are none: a hash table asks the system for random numbers, once on each thread.
    values: Option<Item>,
    bag: Option<Parameters>,
}

impl RequestParameters {
    pub(crate) fn name(&mut self, placeholder: &str, name: &str) {
        self.names.push((placeholder.to_owned(), name.to_owned()));
    }

    pub(crate) fn value(&mut self, placeholder: &str, value: Value) {
        self.values.get_or_insert_default().insert(placeholder.to_owned(), value);
    }

    pub(crate) fn bag(&mut self, parameters: Parameters) {
        self.bag = Some(parameters);
    }

    /// What was gathered; a bag stands for itself.
    pub(crate) fn gathered(&self) -> Result<Parameters> {
        match &self.bag {
            Some(parameters) => Ok(parameters.clone()),
            None if self.names.is_empty() && self.values.is_none() => Ok(Parameters::new()),
            None => {
                let names = self.names.iter().map(|(placeholder, name)| (placeholder.as_str(), name.as_str()));
                match &self.values {
                    Some(values) => Ok(Parameters::from_maps(names, values)?),
                    None => Ok(Parameters::from_maps(names, &Item::new())?),
                }
            }
        }
    }
}
