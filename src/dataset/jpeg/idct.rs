//! The inverse discrete cosine transform of a block, `x = Cᵀ X C`, in whole numbers: libjpeg's accurate one (`jidctint.c`, after
//! Loeffler, Ligtenberg and Moschytz 1989), columns before rows as there. The block comes out on its side.

const BITS: i32 = 13;
/// Bits that the first pass keeps for the second.
const KEPT: i32 = 2;

/// `8 × 8` coefficients, row after row, of which none but 0 stand behind `last` in the file's order → pixels, the block's columns
/// one below the other, `stride` apart.
#[inline(always)]
pub fn pixels(block: &[i32; 64], last: usize, out: &mut [u8], stride: usize) {
    let out = &mut out[..7 * stride + 8];
    if last == 0 {
        let value = byte((block[0].wrapping_add(4)) >> 3);
        for column in out.chunks_mut(stride) {
            column[..8].fill(value);
        }
        return;
    }
    let (mut columns, mut rows, mut values) = ([0i32; 64], [0i32; 64], [0i32; 64]);
    pass::<{ BITS - KEPT }>(block, &mut columns);
    for i in 0..8 {
        for j in 0..8 {
            rows[8 * i + j] = columns[8 * j + i];
        }
    }
    pass::<{ BITS + KEPT + 3 }>(&rows, &mut values);
    for (to, column) in out.chunks_mut(stride).zip(values.chunks_exact(8)) {
        for (to, value) in to[..8].iter_mut().zip(column) {
            *to = byte(*value);
        }
    }
}

/// Grey is 0.
#[inline(always)]
fn byte(value: i32) -> u8 {
    value.saturating_add(128).clamp(0, 255) as u8
}

/// Eight transforms side by side, each of the values that stand eight apart; what comes out is divided by `2^SHIFT`. A loop over
/// neighbours in memory is what a compiler turns into vectors.
#[inline(always)]
fn pass<const SHIFT: i32>(x: &[i32; 64], out: &mut [i32; 64]) {
    let times = |a: i32, factor: i32| a.wrapping_mul(factor);
    for i in 0..8 {
        let x: [i32; 8] = std::array::from_fn(|k| x[8 * k + i]);
        let z = times(x[2].wrapping_add(x[6]), 4433);
        let even2 = z.wrapping_sub(times(x[6], 15137));
        let even3 = z.wrapping_add(times(x[2], 6270));
        let sum = x[0].wrapping_add(x[4]).wrapping_shl(13);
        let difference = x[0].wrapping_sub(x[4]).wrapping_shl(13);
        let half = 1 << (SHIFT - 1);
        let even = [
            sum.wrapping_add(even3).wrapping_add(half),
            difference.wrapping_add(even2).wrapping_add(half),
            difference.wrapping_sub(even2).wrapping_add(half),
            sum.wrapping_sub(even3).wrapping_add(half),
        ];
        let (z1, z2) = (x[7].wrapping_add(x[1]), x[5].wrapping_add(x[3]));
        let (z3, z4) = (x[7].wrapping_add(x[3]), x[5].wrapping_add(x[1]));
        let z5 = times(z3.wrapping_add(z4), 9633);
        let (z1, z2) = (times(z1, -7373), times(z2, -20995));
        let (z3, z4) = (times(z3, -16069).wrapping_add(z5), times(z4, -3196).wrapping_add(z5));
        let odd = [
            times(x[1], 12299).wrapping_add(z1).wrapping_add(z4),
            times(x[3], 25172).wrapping_add(z2).wrapping_add(z3),
            times(x[5], 16819).wrapping_add(z2).wrapping_add(z4),
            times(x[7], 2446).wrapping_add(z1).wrapping_add(z3),
        ];
        for k in 0..4 {
            out[8 * k + i] = even[k].wrapping_add(odd[k]) >> SHIFT;
            out[8 * (7 - k) + i] = even[k].wrapping_sub(odd[k]) >> SHIFT;
        }
    }
}
