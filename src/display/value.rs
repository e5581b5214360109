//! The value of a cell's last expression: how types that are not ours are shown.
//!
//! evcxr asks a value for a method `evcxr_display`; where there is none it compiles the cell a second time, for `{:?}`. With
//! this trait in scope (the prelude brings it) every value that has a `Debug` form has the method. A type's own method goes
//! before a trait's, so [`Picture`] and [`Table`] are not touched by it.

use std::any::TypeId;
use std::fmt::Debug;
use std::marker::PhantomData;

use candle_core::Tensor;
use image::RgbImage;
use polars::prelude::DataFrame;

use super::kernel::{Way, show};
use super::{Picture, Table};

/// Shows a cell's value: tensors with their numbers, pixels as a picture, data frames as a table, all else as `{:?}`.
pub trait Show {
    /// What evcxr calls on a cell's last expression.
    fn evcxr_display(&self);
}

/// Rows of a data frame that are shown.
const ROWS: usize = 20;

impl<T: Debug + ?Sized> Show for T {
    fn evcxr_display(&self) {
        show_value(id::<T>(), (&raw const *self).cast(), &self);
    }
}

/// The value at `value`, whose type is `id` and whose other form is `debug`.
///
/// Not generic, and never inlined: each cell compiles what it calls of generic functions anew, a PNG encoder for one.
#[inline(never)]
fn show_value(id: TypeId, value: *const (), debug: &dyn Debug) {
    let is = |other: TypeId| id == other;
    // A cell that ends in `println!(…)` has the value `()`.
    if is(TypeId::of::<()>()) {
    } else if is(TypeId::of::<Tensor>()) {
        // SAFETY: the value is a `Tensor`.
        let tensor = unsafe { &*value.cast::<Tensor>() };
        plain(&tensor.to_string());
    } else if is(TypeId::of::<DataFrame>()) {
        // SAFETY: the value is a `DataFrame`.
        let frame = unsafe { &*value.cast::<DataFrame>() };
        Table::of_frame(frame, ROWS).evcxr_display();
    } else if is(TypeId::of::<RgbImage>()) {
        // SAFETY: the value is an `RgbImage`.
        let image = unsafe { &*value.cast::<RgbImage>() };
        let words = format!("a picture of {} × {} pixels", image.width(), image.height());
        match Picture::from_image(image, words) {
            Ok(picture) => picture.evcxr_display(),
            Err(error) => plain(&error.to_string()),
        }
    } else {
        plain(&format!("{debug:?}"));
    }
}

fn plain(text: &str) {
    show(Way::Value, &[("text/plain", text)]);
}

/// Which type `T` is. `TypeId::of` alone wants a `'static` `T`, which the type of an expression in a cell need not be.
fn id<T: ?Sized>() -> TypeId {
    trait Id {
        fn id(&self) -> TypeId
        where
            Self: 'static;
    }
    impl<T: ?Sized> Id for PhantomData<T> {
        fn id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }
    let phantom = PhantomData::<T>;
    // SAFETY: the reference lives for this call, and `id` looks at no value. Lifetimes are not part of a `TypeId`, and a
    // type that has any is none of the types without, whatever they are.
    let erased = unsafe { std::mem::transmute::<&dyn Id, &(dyn Id + 'static)>(&phantom) };
    erased.id()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_told_also_where_it_borrows() {
        fn of<T: ?Sized>(_: &T) -> (bool, bool, bool) {
            let id = id::<T>();
            let is = |other| id == other;
            (is(TypeId::of::<Tensor>()), is(TypeId::of::<()>()), is(TypeId::of::<str>()))
        }
        let tensor = Tensor::zeros(2, candle_core::DType::F32, &candle_core::Device::Cpu).unwrap();
        assert_eq!(of(&tensor), (true, false, false));
        assert_eq!(of(&()), (false, true, false));
        let text = String::from("a");
        assert_eq!(of(text.as_str()), (false, false, true));
        assert_eq!(of(&[text.as_str()]), (false, false, false));
        assert_eq!(of(&&tensor), (false, false, false));
    }

    #[test]
    fn a_types_own_method_goes_first() {
        #[derive(Debug)]
        struct Own;
        impl Own {
            fn evcxr_display(&self) -> &str {
                "own"
            }
        }
        assert_eq!((Own).evcxr_display(), "own");
        let borrowed = &Own;
        assert_eq!((Own).evcxr_display(), borrowed.evcxr_display());
    }
}
