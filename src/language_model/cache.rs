//! What generation keeps of the places it has read: every layer's keys and values.

use std::sync::Arc;

use candle_core::Tensor;

use crate::Result;

/// Places by which room grows.
const ROOM: usize = 64;

/// Keys and values of the places read so far, a pair a layer, `(b, t, d)` each. A new place is written behind the others,
/// which stay where they are.
#[derive(Clone, Debug, Default)]
pub struct KvCache {
    layers: Vec<Layer>,
}

/// One layer's: of `(b, room, d)` values the first `len` places are read.
#[derive(Clone, Debug)]
struct Layer {
    keys: Tensor,
    values: Tensor,
    len: usize,
    /// Held by every copy that shares the memory: who is not alone writes elsewhere.
    alone: Arc<()>,
}

impl Layer {
    /// Room for `room` places, of which the first `len` are those of `keys` and `values`.
    fn with_room(keys: &Tensor, values: &Tensor, len: usize, room: usize) -> Result<Self> {
        let moved = |from: &Tensor| -> Result<Tensor> {
            let (b, _, d) = from.dims3()?;
            let to = Tensor::zeros((b, room, d), from.dtype(), from.device())?;
            to.slice_set(&from.narrow(1, 0, len)?.contiguous()?, 1, 0)?;
            Ok(to)
        };
        Ok(Self { keys: moved(keys)?, values: moved(values)?, len, alone: Arc::new(()) })
    }

    fn read(&self) -> Result<(Tensor, Tensor)> {
        Ok((self.keys.narrow(1, 0, self.len)?, self.values.narrow(1, 0, self.len)?))
    }
}

impl KvCache {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many places were read.
    pub fn len(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.len)
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
        let pick = |layer: &Layer| {
            let (keys, values) = layer.read()?;
            let keys = keys.contiguous()?.index_select(rows, 0)?;
            let values = values.contiguous()?.index_select(rows, 0)?;
            Ok(Layer { keys, values, len: layer.len, alone: Arc::new(()) })
        };
        Ok(Self { layers: self.layers.iter().map(pick).collect::<Result<_>>()? })
    }

    /// Adds a layer's keys and values of the new places `(b, s, d)`; gives those of all places. No gradient passes: who
    /// generates does not train.
    pub(super) fn extend(
        &mut self,
        layer: usize,
        keys: &Tensor,
        values: &Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let (keys, values) = (keys.detach().contiguous()?, values.detach().contiguous()?);
        let new = keys.dim(1)?;
        let Some(place) = self.layers.get_mut(layer) else {
            let layer = Layer::with_room(&keys, &values, new, new.next_multiple_of(ROOM))?;
            let all = layer.read()?;
            self.layers.push(layer);
            return Ok(all);
        };
        let len = place.len + new;
        if len > place.keys.dim(1)? || Arc::strong_count(&place.alone) > 1 {
            let room = len.next_multiple_of(ROOM);
            *place = Layer::with_room(&place.keys, &place.values, place.len, room)?;
        }
        place.keys.slice_set(&keys, 1, place.len)?;
        place.values.slice_set(&values, 1, place.len)?;
        place.len = len;
        place.read()
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// `(2, s, 3)` values that no other call gives.
    fn values(s: usize, from: f32) -> Tensor {
        let values: Vec<f32> = (0..2 * s * 3).map(|i| from + i as f32).collect();
        Tensor::from_vec(values, (2, s, 3), &Device::Cpu).unwrap()
    }

    fn flat(x: &Tensor) -> Vec<f32> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn places_stand_behind_each_other_past_the_first_room() {
        let mut cache = KvCache::new();
        let mut all: Option<(Tensor, Tensor)> = None;
        for (i, s) in [5, 1, 60, 1, 70, 1].into_iter().enumerate() {
            let (k, v) = (values(s, 1e3 * i as f32), values(s, -1e3 * i as f32));
            let read = cache.extend(0, &k, &v).unwrap();
            let cat = |a: &Tensor, b: &Tensor| Tensor::cat(&[a, b], 1).unwrap();
            let expected =
                all.as_ref().map_or((k.clone(), v.clone()), |a| (cat(&a.0, &k), cat(&a.1, &v)));
            assert_eq!(flat(&read.0), flat(&expected.0), "{i}");
            assert_eq!(flat(&read.1), flat(&expected.1), "{i}");
            all = Some(expected);
        }
        assert_eq!(cache.len(), 138);
    }

    #[test]
    fn a_copy_goes_on_without_changing_the_original() {
        let mut cache = KvCache::new();
        cache.extend(0, &values(4, 0.), &values(4, 0.)).unwrap();
        let mut copy = cache.clone();
        let mut picked = cache.select(&Tensor::new(&[1u32, 1], &Device::Cpu).unwrap()).unwrap();
        let one = cache.extend(0, &values(1, 100.), &values(1, 100.)).unwrap().0;
        let other = copy.extend(0, &values(1, 200.), &values(1, 200.)).unwrap().0;
        let third = picked.extend(0, &values(1, 300.), &values(1, 300.)).unwrap().0;
        let last = |x: &Tensor| flat(&x.narrow(1, 4, 1).unwrap());
        assert_eq!(last(&one), [100., 101., 102., 103., 104., 105.]);
        assert_eq!(last(&other), [200., 201., 202., 203., 204., 205.]);
        assert_eq!(last(&third), [300., 301., 302., 303., 304., 305.]);
        assert_eq!(flat(&one.narrow(1, 0, 4).unwrap()), flat(&values(4, 0.)));
        assert_eq!(flat(&third.narrow(1, 0, 4).unwrap())[..3], [12., 13., 14.]);
    }
}
