//! What generation keeps of the places it has read: every layer's keys and values.

use candle_core::Tensor;

use crate::Result;

/// Keys and values of the places read so far, a pair a layer, `(b, t, d)` each.
#[derive(Clone, Debug, Default)]
pub struct KvCache {
    layers: Vec<(Tensor, Tensor)>,
}

impl KvCache {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many places were read.
    pub fn len(&self) -> usize {
        self.layers.first().map_or(0, |(keys, _)| keys.dims()[1])
    }

    /// Whether nothing was read yet.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The texts of these rows, u32: one of them may be taken several times, to go on from it in several ways.
    ///
    /// # Errors
    /// When a row is not there.
    pub fn select(&self, rows: &Tensor) -> Result<Self> {
        let pick =
            |(k, v): &(Tensor, Tensor)| Ok((k.index_select(rows, 0)?, v.index_select(rows, 0)?));
        Ok(Self { layers: self.layers.iter().map(pick).collect::<Result<_>>()? })
    }

    /// Adds a layer's keys and values of the new places `(b, s, d)`; gives those of all places. No gradient passes: who
    /// generates does not train.
    pub(super) fn extend(
        &mut self,
        layer: usize,
        keys: Tensor,
        values: Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let (keys, values) = (keys.detach(), values.detach());
        let all = match self.layers.get(layer) {
            None => (keys, values),
            Some((k, v)) => (Tensor::cat(&[k, &keys], 1)?, Tensor::cat(&[v, &values], 1)?),
        };
        match self.layers.get_mut(layer) {
            None => self.layers.push(all.clone()),
            Some(place) => *place = all.clone(),
        }
        Ok(all)
    }
}
