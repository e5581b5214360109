//! Where variables live between cells.
//!
//! evcxr writes a module of this name into every cell, with the same functions; the course's kernel puts this one in its
//! place. Only what depends on a variable's type is generic here, so that a cell compiles little.

use std::any::{Any, TypeId};
use std::collections::HashMap;

/// What evcxr hears of a variable whose type was defined anew.
pub const VARIABLE_CHANGED_TYPE: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";
/// What evcxr hears of a `?` that met an error.
pub const USER_ERROR_OCCURRED: &str = "EVCXR_ERROR_OCCURRED";

/// The variables by name.
#[derive(Default)]
pub struct VariableStore {
    variables: HashMap<String, Box<dyn Any>>,
}

impl VariableStore {
    /// Keeps a variable.
    pub fn put_variable<T: 'static>(&mut self, name: &str, value: T) {
        self.put(name, Box::new(value));
    }

    #[inline(never)]
    fn put(&mut self, name: &str, value: Box<dyn Any>) {
        self.variables.insert(name.to_owned(), value);
    }

    /// Whether a variable still has its type; evcxr is told where it has not.
    pub fn check_variable<T: 'static>(&mut self, name: &str) -> bool {
        self.check(name, TypeId::of::<T>())
    }

    #[inline(never)]
    fn check(&self, name: &str, kind: TypeId) -> bool {
        if self.variables.get(name).is_none_or(|value| (**value).type_id() == kind) {
            return true;
        }
        eprintln!("The type of the variable {name} was redefined, so was lost.");
        println!("{VARIABLE_CHANGED_TYPE}{name}");
        false
    }

    /// Takes a variable out.
    pub fn take_variable<T: 'static>(&mut self, name: &str) -> T {
        let value = self.take(name, TypeId::of::<T>());
        // SAFETY: `take` has compared the types, and the value came out of a box of that type.
        *unsafe { Box::from_raw(value.cast::<T>()) }
    }

    #[inline(never)]
    fn take(&mut self, name: &str, kind: TypeId) -> *mut () {
        match self.variables.remove(name) {
            Some(value) if (*value).type_id() == kind => Box::into_raw(value).cast(),
            Some(_) => panic!("Variable changed type"),
            None => panic!("Variable '{name}' has gone missing"),
        }
    }
}

/// A store for a process that has none yet.
#[inline(never)]
pub fn create_variable_store() -> *mut VariableStore {
    Box::into_raw(Box::default())
}
