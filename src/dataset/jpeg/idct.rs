//! The inverse discrete cosine transform of a block, `x = Cᵀ X C`, in whole numbers: libjpeg's accurate one (`jidctint.c`, after
//! Loeffler, Ligtenberg and Moschytz 1989), value for value.

type Lane = [i32; 8];

const BITS: i32 = 13;
/// Bits that the first pass keeps for the second.
const KEPT: i32 = 2;

/// `8 × 8` coefficients, of which none but 0 stand behind `last` in the file's order → pixels, rows `stride` apart.
#[inline(always)]
pub fn pixels(block: &[i32; 64], last: usize, out: &mut [u8], stride: usize) {
    let out = &mut out[..7 * stride + 8];
    if last == 0 {
        let value = byte((block[0].wrapping_add(4)) >> 3);
        for row in out.chunks_mut(stride) {
            row[..8].fill(value);
        }
        return;
    }
    let rows: [Lane; 8] = std::array::from_fn(|i| std::array::from_fn(|j| block[8 * i + j]));
    let rows = turned(pass::<{ BITS - KEPT }>(rows));
    let rows = turned(pass::<{ BITS + KEPT + 3 }>(rows));
    for (to, row) in out.chunks_mut(stride).zip(rows) {
        for (to, value) in to[..8].iter_mut().zip(row) {
            *to = byte(value);
        }
    }
}

/// Grey is 0.
#[inline(always)]
fn byte(value: i32) -> u8 {
    value.saturating_add(128).clamp(0, 255) as u8
}

#[inline(always)]
fn turned(rows: [Lane; 8]) -> [Lane; 8] {
    std::array::from_fn(|i| std::array::from_fn(|j| rows[j][i]))
}

#[inline(always)]
fn add(a: Lane, b: Lane) -> Lane {
    std::array::from_fn(|i| a[i].wrapping_add(b[i]))
}

#[inline(always)]
fn sub(a: Lane, b: Lane) -> Lane {
    std::array::from_fn(|i| a[i].wrapping_sub(b[i]))
}

/// Times a factor of 13 bits behind the point.
#[inline(always)]
fn times(a: Lane, factor: i32) -> Lane {
    std::array::from_fn(|i| a[i].wrapping_mul(factor))
}

/// Eight transforms side by side, down the columns; what comes out is divided by `2^SHIFT`.
#[inline(always)]
fn pass<const SHIFT: i32>(x: [Lane; 8]) -> [Lane; 8] {
    let z1 = times(add(x[2], x[6]), 4433);
    let even2 = sub(z1, times(x[6], 15137));
    let even3 = add(z1, times(x[2], 6270));
    let (sum, difference) = (times(add(x[0], x[4]), 1 << BITS), times(sub(x[0], x[4]), 1 << BITS));
    let even = [
        add(sum, even3),
        add(difference, even2),
        sub(difference, even2),
        sub(sum, even3),
    ];
    let (z1, z2) = (add(x[7], x[1]), add(x[5], x[3]));
    let (z3, z4) = (add(x[7], x[3]), add(x[5], x[1]));
    let z5 = times(add(z3, z4), 9633);
    let (z1, z2) = (times(z1, -7373), times(z2, -20995));
    let (z3, z4) = (add(times(z3, -16069), z5), add(times(z4, -3196), z5));
    let odd = [
        add(times(x[1], 12299), add(z1, z4)),
        add(times(x[3], 25172), add(z2, z3)),
        add(times(x[5], 16819), add(z2, z4)),
        add(times(x[7], 2446), add(z1, z3)),
    ];
    let half = 1 << (SHIFT - 1);
    let down = |lane: Lane| -> Lane {
        std::array::from_fn(|i| lane[i].wrapping_add(half) >> SHIFT)
    };
    std::array::from_fn(|i| match i {
        0..=3 => down(add(even[i], odd[i])),
        _ => down(sub(even[7 - i], odd[7 - i])),
    })
}
