//! A JPEG's segments: sizes, tables, and where its bits lie.

use super::huffman::Huffman;

/// One plane of the file.
pub struct Component {
    id: u8,
    /// Blocks of it in a unit (MCU), beside each other and below each other.
    pub h: usize,
    pub v: usize,
    pub quantization: usize,
    pub dc_table: usize,
    pub ac_table: usize,
}

/// What stands before the bits.
#[derive(Default)]
pub struct Headers {
    pub width: usize,
    pub height: usize,
    pub components: Vec<Component>,
    /// In the order of the coefficients in the file.
    pub quantization: [Option<[i32; 64]>; 4],
    pub dc: [Option<Box<Huffman>>; 4],
    pub ac: [Option<Box<Huffman>>; 4],
    /// Units between two restarts; 0 for none.
    pub restart_interval: usize,
    /// Where the bits begin.
    pub scan_at: usize,
}

impl Headers {
    /// The largest sampling factors.
    pub fn most(&self) -> (usize, usize) {
        let most = |f: fn(&Component) -> usize| self.components.iter().map(f).max().unwrap_or(1);
        (most(|c| c.h), most(|c| c.v))
    }

    /// Units in a row, and rows of them.
    pub fn mcus(&self) -> (usize, usize) {
        let (h, v) = self.most();
        (self.width.div_ceil(8 * h), self.height.div_ceil(8 * v))
    }
}

/// Reads up to the first scan; `None` where the file is not a baseline JPEG of the kinds that we know.
pub fn read(bytes: &[u8]) -> Option<Headers> {
    let mut headers = Headers::default();
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return None;
    }
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        if marker == 0xff {
            at += 1;
            continue;
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
        let segment = bytes.get(at + 4..at + 2 + length)?;
        at += 2 + length;
        match marker {
            0xc0 | 0xc1 => headers.frame(segment)?,
            0xc4 => headers.huffman(segment)?,
            0xda => {
                headers.scan(segment)?;
                headers.scan_at = at;
                return Some(headers);
            }
            0xdb => headers.quantization(segment)?,
            0xdd => {
                headers.restart_interval = usize::from(u16::from_be_bytes(segment.try_into().ok()?))
            }
            // Adobe's mark: transform 1 is YCbCr, 0 is RGB.
            0xee if segment.starts_with(b"Adobe") && segment.get(11) != Some(&1) => return None,
            0xe0..=0xef | 0xfe => {}
            _ => return None,
        }
    }
}

impl Headers {
    fn frame(&mut self, segment: &[u8]) -> Option<()> {
        let [8, h1, h0, w1, w0, count, rest @ ..] = segment else { return None };
        if !self.components.is_empty() || ![1, 3].contains(count) {
            return None;
        }
        self.height = usize::from(u16::from_be_bytes([*h1, *h0]));
        self.width = usize::from(u16::from_be_bytes([*w1, *w0]));
        if self.width == 0 || self.height == 0 || rest.len() != 3 * usize::from(*count) {
            return None;
        }
        for part in rest.chunks_exact(3) {
            let (h, v) = (usize::from(part[1] >> 4), usize::from(part[1] & 15));
            if ![1, 2, 4].contains(&h) || ![1, 2, 4].contains(&v) || part[2] > 3 {
                return None;
            }
            // The only plane's blocks come one by one, whatever its factors say.
            let (h, v) = if *count == 1 { (1, 1) } else { (h, v) };
            let quantization = usize::from(part[2]);
            self.components.push(Component {
                id: part[0],
                h,
                v,
                quantization,
                dc_table: 0,
                ac_table: 0,
            });
        }
        // Brightness is whole; planes called R, G and B are what they are called.
        let (h, v) = self.most();
        let first = &self.components[0];
        let named_rgb = self.components.iter().map(|c| c.id).eq(*b"RGB");
        (first.h == h && first.v == v && !named_rgb).then_some(())
    }

    fn quantization(&mut self, mut segment: &[u8]) -> Option<()> {
        while let [kind, rest @ ..] = segment {
            let wide = kind >> 4;
            let place = self.quantization.get_mut(usize::from(kind & 15))?;
            let size = if wide == 0 { 64 } else { 128 };
            if wide > 1 || rest.len() < size {
                return None;
            }
            let (values, rest) = rest.split_at(size);
            let value = |i: usize| match wide {
                0 => i32::from(values[i]),
                _ => i32::from(u16::from_be_bytes([values[2 * i], values[2 * i + 1]])),
            };
            *place = Some(std::array::from_fn(value));
            segment = rest;
        }
        Some(())
    }

    fn huffman(&mut self, mut segment: &[u8]) -> Option<()> {
        while let [kind, rest @ ..] = segment {
            let (counts, rest) = rest.split_at_checked(16)?;
            let total = counts.iter().map(|n| usize::from(*n)).sum();
            let (symbols, rest) = rest.split_at_checked(total)?;
            let table = Huffman::new(counts, symbols, kind >> 4 == 1)?;
            let tables = match kind >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return None,
            };
            *tables.get_mut(usize::from(kind & 15))? = Some(Box::new(table));
            segment = rest;
        }
        Some(())
    }

    fn scan(&mut self, segment: &[u8]) -> Option<()> {
        let [count, rest @ ..] = segment else { return None };
        let all = self.components.len();
        if all == 0 || usize::from(*count) != all || rest.len() != 2 * all + 3 {
            return None;
        }
        for (component, part) in self.components.iter_mut().zip(rest.chunks_exact(2)) {
            if part[0] != component.id || part[1] >> 4 > 3 || part[1] & 15 > 3 {
                return None;
            }
            component.dc_table = usize::from(part[1] >> 4);
            component.ac_table = usize::from(part[1] & 15);
        }
        Some(())
    }
}

/// Zeros behind the bits, so that eight bytes can be read at once anywhere.
pub const PADDING: usize = 16;

/// The bits of a scan without what is stuffed into them, in `scan`, and where its parts between restarts begin and end; `None`
/// where anything but the end of the picture follows.
pub fn entropy_coded(bytes: &[u8], from: usize, scan: &mut Vec<u8>) -> Option<Vec<(usize, usize)>> {
    scan.clear();
    scan.reserve(bytes.len() - from + PADDING);
    let (mut at, mut start, mut parts) = (from, 0, Vec::new());
    loop {
        let plain = until_mark(&bytes[at..])?;
        scan.extend_from_slice(&bytes[at..at + plain]);
        at += plain;
        match bytes.get(at + 1)? {
            0x00 => {
                scan.push(0xff);
                at += 2;
            }
            0xff => at += 1,
            0xd0..=0xd7 => {
                parts.push((start, scan.len()));
                start = scan.len();
                at += 2;
            }
            0xd9 => {
                parts.push((start, scan.len()));
                scan.extend([0; PADDING]);
                return Some(parts);
            }
            _ => return None,
        }
    }
}

/// How many bytes stand before the next `FF`.
fn until_mark(bytes: &[u8]) -> Option<usize> {
    const AT_ONCE: usize = 32;
    let has_mark = |chunk: &[u8]| chunk.iter().fold(false, |found, b| found | (*b == 0xff));
    let whole = bytes.chunks_exact(AT_ONCE).take_while(|chunk| !has_mark(chunk)).count();
    let start = whole * AT_ONCE;
    bytes[start..].iter().position(|b| *b == 0xff).map(|place| start + place)
}
