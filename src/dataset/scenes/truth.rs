//! The ground truth as a table: one row an object in a picture.

use polars::prelude::*;

use super::{Scene, Split, objects};
use crate::Result;

/// The rows of `truth.parquet`, in the order of the pictures. `relation` says where the object's kind is, seen from
/// the kind `other`; both are empty unless the picture has exactly two kinds. `x`, `y`, `w`, `h` are pixels.
pub(super) fn table(scenes: &[(String, Split, Scene)]) -> Result<DataFrame> {
    let rows: Vec<_> = scenes
        .iter()
        .flat_map(|(image, split, scene)| {
            scene.objects.iter().map(move |placed| (image.as_str(), *split, scene, placed))
        })
        .collect();
    let kind = |scene: &Scene, object: usize| {
        scene.kinds.iter().position(|k| k.object == object).unwrap_or_default()
    };
    let relation = |scene: &Scene, object: usize| {
        let relation = scene.relation?;
        Some(if kind(scene, object) == 0 { relation } else { relation.inverse() })
    };
    let other = |scene: &Scene, object: usize| {
        scene.relation?;
        scene.kinds.iter().find(|k| k.object != object).map(|k| objects()[k.object].name.as_str())
    };
    macro_rules! column {
        ($name:literal, |$image:pat_param, $split:pat_param, $scene:pat_param, $placed:pat_param| $value:expr) => {
            Column::new(
                $name.into(),
                rows.iter()
                    .map(|(image, split, scene, placed)| {
                        let ($image, $split, $scene, $placed) = (*image, *split, *scene, *placed);
                        $value
                    })
                    .collect::<Vec<_>>(),
            )
        };
    }
    let columns = vec![
        column!("image", |image, _, _, _| image),
        column!("split", |_, split, _, _| split.name()),
        column!("style", |_, _, scene, _| scene.style.name()),
        column!("background", |_, _, scene, _| scene.background.name()),
        column!("object", |_, _, _, placed| objects()[placed.object].name.as_str()),
        column!("colour", |_, _, _, placed| objects()[placed.object].colour.as_deref()),
        column!("count", |_, _, scene, placed| {
            scene.kinds[kind(scene, placed.object)].count as u32
        }),
        column!("x", |_, _, _, placed| placed.x),
        column!("y", |_, _, _, placed| placed.y),
        column!("w", |_, _, _, placed| placed.w),
        column!("h", |_, _, _, placed| placed.h),
        column!("relation", |_, _, scene, placed| {
            relation(scene, placed.object).map(super::Relation::name)
        }),
        column!("other", |_, _, scene, placed| other(scene, placed.object)),
    ];
    Ok(DataFrame::new(rows.len(), columns)?)
}
