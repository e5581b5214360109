//! From bits to the coefficients of a block: a code says how many zeros come first and how many bits the next value has.

/// Bits of a code, and with it of its value, that are looked up at once.
const AHEAD: u32 = 10;

/// Where the coefficients of the file stand in a block, row after row (T.81, figure 5). The last ones are for damaged files.
#[rustfmt::skip]
const PLACES: [u8; 80] = [
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
];

/// One table of codes.
pub struct Huffman {
    /// By the next bits: symbol and the code's length; length 0 where the code is longer.
    short: [(u8, u8); 1 << AHEAD],
    /// By the next bits, where code and value are all among them: value, zeros before it, and the bits of both; 0 else.
    whole: [(i16, u8, u8); 1 << AHEAD],
    /// The first value of 16 bits that is no code of this length or a shorter one.
    above: [u32; 17],
    /// What is added to a code of a length for the place of its symbol.
    place: [i32; 17],
    symbols: Vec<u8>,
}

impl Huffman {
    /// From how many codes have each length from 1 to 16, and their symbols in order.
    pub fn new(counts: &[u8], symbols: &[u8], values_follow: bool) -> Option<Self> {
        let mut table = Self {
            short: [(0, 0); 1 << AHEAD],
            whole: [(0, 0, 0); 1 << AHEAD],
            above: [0; 17],
            place: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut first) = (0u32, 0usize);
        for length in 1..=16u32 {
            let count = usize::from(counts[length as usize - 1]);
            table.place[length as usize] = first as i32 - code as i32;
            for symbol in &symbols[first..first + count] {
                if length <= AHEAD {
                    let free = AHEAD - length;
                    let from = (code << free) as usize;
                    table.short.get_mut(from..from + (1 << free))?.fill((*symbol, length as u8));
                }
                code += 1;
            }
            if code > 1 << length {
                return None;
            }
            table.above[length as usize] = code << (16 - length);
            first += count;
            code <<= 1;
        }
        if values_follow {
            for bits in 0..1u32 << AHEAD {
                let (symbol, length) = table.short[bits as usize];
                let (zeros, size) = (symbol >> 4, u32::from(symbol & 15));
                let length = u32::from(length);
                if length > 0 && size > 0 && length + size <= AHEAD {
                    let value = bits >> (AHEAD - length - size) & ((1 << size) - 1);
                    let value = signed(value, size) as i16;
                    table.whole[bits as usize] = (value, zeros, (length + size) as u8);
                }
            }
        }
        Some(table)
    }
}

/// A value of `size` bits: the lower half of the numbers stands for negative ones.
#[inline(always)]
fn signed(bits: u32, size: u32) -> i32 {
    let value = bits as i32;
    if size > 0 && bits >> (size - 1) == 0 { value - (1 << size) + 1 } else { value }
}

/// Reads the bits of one part of a scan.
pub struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    /// The next bits, the very next one first.
    next: u64,
    /// How many of them there are.
    count: u32,
}

impl<'a> Bits<'a> {
    /// The bits of `bytes[start..end]`; at least eight bytes lie behind.
    pub fn new(bytes: &'a [u8], start: usize, end: usize) -> Self {
        Self { bytes, at: start, end, next: 0, count: 0 }
    }

    /// At least 56 bits ahead; zeros behind the end.
    #[inline(always)]
    fn fill(&mut self) {
        let more = match self.bytes.get(self.at..self.at + 8) {
            Some(eight) => u64::from_be_bytes(eight.try_into().unwrap_or_default()),
            None => 0,
        };
        self.next |= more >> self.count;
        self.at += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.next <<= count;
        self.count -= count;
    }

    #[inline(always)]
    fn take(&mut self, count: u32) -> u32 {
        let bits = (self.next >> 1 >> (63 - count)) as u32;
        self.skip(count);
        bits
    }

    /// Whether more bits were taken than there are.
    pub fn overrun(&self) -> bool {
        self.at * 8 - self.count as usize > self.end * 8
    }

    #[inline(always)]
    fn symbol(&mut self, table: &Huffman) -> Option<u8> {
        let (symbol, length) = table.short[(self.next >> (64 - AHEAD)) as usize];
        if length > 0 {
            self.skip(u32::from(length));
            return Some(symbol);
        }
        let bits = (self.next >> 48) as u32;
        let length = (AHEAD as usize + 1..=16).find(|length| bits < table.above[*length])?;
        let code = (bits >> (16 - length)) as i32;
        self.skip(length as u32);
        table.symbols.get((code + table.place[length]) as usize).copied()
    }

    /// The next block, times its quantisation, into zeros; gives the place in the file's order of its last value that is not 0.
    #[inline(always)]
    pub fn block(
        &mut self,
        dc: &Huffman,
        ac: &Huffman,
        quantization: &[i32; 64],
        before: &mut i32,
        block: &mut [i32; 64],
    ) -> Option<usize> {
        self.fill();
        let size = u32::from(self.symbol(dc)?);
        if size > 15 {
            return None;
        }
        let bits = self.take(size);
        *before = before.wrapping_add(signed(bits, size));
        block[0] = before.wrapping_mul(quantization[0]);
        let (mut k, mut last) = (1, 0);
        while k < 64 {
            self.fill();
            let (value, zeros, length) = ac.whole[(self.next >> (64 - AHEAD)) as usize];
            let value = if length > 0 {
                k += usize::from(zeros);
                self.skip(u32::from(length));
                i32::from(value)
            } else {
                let symbol = self.symbol(ac)?;
                let size = u32::from(symbol & 15);
                if size == 0 {
                    if symbol != 0xf0 {
                        break;
                    }
                    k += 16;
                    continue;
                }
                k += usize::from(symbol >> 4);
                let bits = self.take(size);
                signed(bits, size)
            };
            if k > 63 {
                return None;
            }
            block[usize::from(PLACES[k]) & 63] = value.wrapping_mul(quantization[k]);
            last = k;
            k += 1;
        }
        Some(last)
    }
}
