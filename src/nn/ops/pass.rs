//! A convolution's pass over pictures, forward or back, as products of the one inner loop ([`kernel`](super::kernel)).
//!
//! A kernel's place meets, for every output, an input at a fixed distance. So with a block of input rows laid out with
//! its padding, what output pixel `p` needs for tap `(c, ky, kx)` lies at `rows[p] + steps[tap]`, and nothing is unfolded.
//! The gradient of the input is such a pass too: over the gradient of the output, with the kernel turned around; a stride
//! `s` takes it apart into `s · s` phases, each with the taps that meet it.

use std::ops::Range;

use rayon::prelude::*;

use super::kernel::{Buffer, Product, ROWS, panels};
use super::slices::Shared;

/// Rows or columns of a pass: output `m` stands at `first + m · out_step`, and there the kernel's place `k` meets input
/// `m · in_step + shift`.
#[derive(Clone)]
pub struct Axis {
    pub len: usize,
    first: usize,
    out_step: usize,
    in_step: usize,
    /// Places in the kernel and their shifts.
    taps: Vec<(usize, isize)>,
}

impl Axis {
    /// From inputs to `len` outputs.
    pub fn forward(len: usize, k: usize, stride: usize, padding: usize) -> Self {
        let taps = (0..k).map(|k| (k, k as isize - padding as isize)).collect();
        Self { len, first: 0, out_step: 1, in_step: stride, taps }
    }

    /// From gradients of outputs to gradients of `side` inputs, a phase each.
    pub fn back(side: usize, k: usize, stride: usize, padding: usize) -> Vec<Self> {
        let phase = |first: usize| {
            let meets = |k: &usize| (first + padding + stride * k - k).is_multiple_of(stride);
            let shift = |k: usize| {
                (first as isize + padding as isize - k as isize).div_euclid(stride as isize)
            };
            let taps = (0..k).filter(meets).map(|k| (k, shift(k))).collect();
            let len = (side - first).div_ceil(stride);
            Self { len, first, out_step: stride, in_step: 1, taps }
        };
        (0..stride.min(side)).map(phase).collect()
    }

    /// The least shift, and the distance to the largest.
    fn reach(&self) -> (isize, usize) {
        let shifts = || self.taps.iter().map(|(_, shift)| *shift);
        let (least, most) = (shifts().min().unwrap_or(0), shifts().max().unwrap_or(0));
        (least, (most - least) as usize)
    }

    /// Inputs that `outputs` neighbours meet, from the first to the last.
    fn met(&self, outputs: usize) -> usize {
        self.in_step * (outputs - 1) + self.reach().1 + 1
    }
}

/// Pictures in memory: `c` channels of `h × w`, a picture each `stride` values from `start`.
#[derive(Clone, Copy)]
pub struct Pictures {
    pub start: usize,
    pub stride: usize,
    pub c: usize,
    pub h: usize,
    pub w: usize,
}

impl Pictures {
    fn picture(&self, i: usize) -> Range<usize> {
        let start = self.start + i * self.stride;
        start..start + self.c * self.h * self.w
    }
}

/// One phase of a pass over `b` pictures.
pub struct Pass {
    pub b: usize,
    pub rows: Axis,
    pub cols: Axis,
    pub from: Pictures,
    pub to: Pictures,
}

/// A kernel: the weight between an input's channel `c` and an output's channel `o`, at the place `ky · k + kx`, is
/// `values[c · from_step + o · to_step + place]`.
#[derive(Clone, Copy)]
pub struct Weight<'a> {
    pub values: &'a [f32],
    pub k: usize,
    pub from_step: usize,
    pub to_step: usize,
}

/// Some pictures' outputs of some rows.
struct Block {
    pictures: Range<usize>,
    rows: Range<usize>,
}

/// Inputs of a block, values: a part of what a core's own cache holds.
const BLOCK_INPUTS: usize = 64 * 1024;
/// Output pixels of a block.
const BLOCK_PIXELS: usize = 512;
/// Rows that are transposed at once.
const FEW: usize = 16;

impl Pass {
    /// Columns of a block's inputs.
    fn width(&self) -> usize {
        self.cols.met(self.cols.len)
    }

    /// Values of one channel of a block's inputs.
    fn plane(&self, block: &Block) -> usize {
        self.rows.met(block.rows.len()) * self.width()
    }

    /// Outputs that a thread computes at once.
    fn blocks(&self) -> Vec<Block> {
        let (len, c) = (self.rows.len, self.from.c);
        let fits = |rows: usize| {
            let inputs = c * self.rows.met(rows) * self.width();
            inputs <= BLOCK_INPUTS && rows * self.cols.len <= BLOCK_PIXELS
        };
        let rows = (1..=len).rev().find(|rows| fits(*rows)).unwrap_or(1);
        let pictures = if rows == len {
            let inputs = c * self.rows.met(rows) * self.width();
            let most = (BLOCK_INPUTS / inputs).min(BLOCK_PIXELS / (rows * self.cols.len)).max(1);
            most.min(self.b.div_ceil(2 * rayon::current_num_threads()))
        } else {
            1
        };
        // Parts of about the same size.
        let rows = len.div_ceil(len.div_ceil(rows));
        let mut blocks = Vec::new();
        for first in (0..self.b).step_by(pictures.max(1)) {
            for row in (0..len).step_by(rows.max(1)) {
                let pictures = first..(first + pictures).min(self.b);
                blocks.push(Block { pictures, rows: row..(row + rows).min(len) });
            }
        }
        blocks
    }

    /// Lays a block's inputs out, `(picture, c, rows, width)`, with zeros where the pictures end.
    fn fill(&self, block: &Block, x: &[f32], inputs: &mut [f32]) {
        let Pictures { h, w, .. } = self.from;
        let (width, top) = (self.width(), self.rows.reach().0);
        let left = self.cols.reach().0;
        // The columns of the picture that are laid out, and where.
        let (skip, pad) = (left.max(0) as usize, (-left).max(0) as usize);
        let (skip, pad) = (skip.min(w), pad.min(width));
        let n = (w - skip).min(width - pad);
        let rows = self.rows.met(block.rows.len());
        let first = (self.rows.in_step * block.rows.start) as isize + top;
        let planes =
            block.pictures.clone().flat_map(|i| x[self.from.picture(i)].chunks_exact(h * w));
        for (plane, to) in planes.zip(inputs.chunks_exact_mut(rows * width)) {
            for (row, to) in to.chunks_exact_mut(width).enumerate() {
                let y = first + row as isize;
                if y < 0 || y >= h as isize {
                    to.fill(0.);
                    continue;
                }
                to[..pad].fill(0.);
                to[pad..pad + n].copy_from_slice(&plane[y as usize * w + skip..][..n]);
                to[pad + n..].fill(0.);
            }
        }
    }

    /// Where the inputs of a block's output pixels begin.
    fn pixels(&self, block: &Block) -> Vec<u32> {
        let (width, step) = (self.width(), self.rows.in_step);
        let picture = self.from.c * self.plane(block);
        let mut pixels = Vec::new();
        for i in 0..block.pictures.len() {
            for m in 0..block.rows.len() {
                let row = i * picture + step * m * width;
                pixels.extend((0..self.cols.len).map(|x| (row + self.cols.in_step * x) as u32));
            }
        }
        pixels
    }

    /// How far from there each tap's input lies: taps in the order `(c, ky, kx)`.
    fn taps(&self, block: &Block) -> Vec<u32> {
        let (width, plane) = (self.width() as isize, self.plane(block));
        let (top, left) = (self.rows.reach().0, self.cols.reach().0);
        let mut taps = Vec::new();
        for c in 0..self.from.c {
            for (_, y) in &self.rows.taps {
                let row = (y - top) * width;
                taps.extend(
                    self.cols
                        .taps
                        .iter()
                        .map(|(_, x)| (c * plane) as u32 + (row + x - left) as u32),
                );
            }
        }
        taps
    }

    /// The places in the kernel that each channel's taps have, `ky · k + kx`.
    fn places(&self, k: usize) -> Vec<usize> {
        let row = |ky: usize| self.cols.taps.iter().map(move |(kx, _)| ky * k + kx);
        self.rows.taps.iter().flat_map(|(ky, _)| row(*ky)).collect()
    }

    /// Writes the outputs.
    pub fn run(&self, x: &[f32], weight: Weight, y: Shared) {
        let places = self.places(weight.k);
        let places = &places;
        let taps = (0..self.from.c)
            .flat_map(|c| places.iter().map(move |place| c * weight.from_step + place));
        let taps: Vec<usize> = taps.collect();
        let depth = taps.len();
        let panels = panels(self.to.c);
        let packed: Vec<Buffer> = panels
            .par_iter()
            .map(|(first, n, width)| {
                let mut buffer = Buffer::new(depth * width);
                let values = buffer.first(depth * width);
                // A few taps of all channels at a time: what is read and what is written stay in the cache.
                for (values, taps) in values.chunks_mut(FEW * width).zip(taps.chunks(FEW)) {
                    for v in 0..*n {
                        let weights = &weight.values[(first + v) * weight.to_step..];
                        for (row, tap) in values.chunks_exact_mut(*width).zip(taps) {
                            row[v] = weights[*tap];
                        }
                    }
                }
                buffer
            })
            .collect();
        let blocks = self.blocks();
        // One picture alone is one block: then threads take panels.
        let parts = if blocks.len() < rayon::current_num_threads() { panels.len() } else { 1 };
        let tasks = blocks.len() * parts;
        (0..tasks).into_par_iter().for_each_init(
            || (Buffer::default(), Buffer::default()),
            |(inputs, sums), task| {
                let (block, part) = (&blocks[task / parts], task % parts);
                let (pixels, taps) = (self.pixels(block), self.taps(block));
                let inputs = inputs.first(block.pictures.len() * self.from.c * self.plane(block));
                self.fill(block, x, inputs);
                for ((first, n, width), packed) in
                    panels.iter().zip(&packed).skip(part).step_by(parts)
                {
                    let sums = sums.first(pixels.len().next_multiple_of(ROWS) * width);
                    Product {
                        panel: packed.values(),
                        width: *width,
                        b: inputs,
                        rows: &pixels,
                        steps: &taps,
                        out: sums,
                        add: false,
                    }
                    .run();
                    self.write(block, sums, *first..first + n, *width, y);
                }
            },
        );
    }

    /// Writes a block's sums `(pixels, width)` to the outputs `channels`.
    fn write(&self, block: &Block, sums: &[f32], channels: Range<usize>, width: usize, y: Shared) {
        let Pictures { h, w, .. } = self.to;
        let (rows, cols) = (&self.rows, &self.cols);
        let pixels = block.rows.len() * cols.len;
        let dense = rows.out_step == 1 && cols.len == w;
        for (i, sums) in block.pictures.clone().zip(sums.chunks_exact(pixels * width)) {
            let picture = self.to.picture(i).start;
            if dense {
                for (part, sums) in sums.chunks(FEW * width).enumerate() {
                    let start = picture + block.rows.start * w + part * FEW;
                    for (v, channel) in channels.clone().enumerate() {
                        // SAFETY: a block has outputs of its own.
                        let y = unsafe { y.range(start + channel * h * w, sums.len() / width) };
                        let values = sums[v..].iter().step_by(width);
                        y.iter_mut().zip(values).for_each(|(y, value)| *y = *value);
                    }
                }
                continue;
            }
            for (v, channel) in channels.clone().enumerate() {
                let start = picture + channel * h * w;
                let mut values = sums[v..].iter().step_by(width);
                for m in block.rows.clone() {
                    let row = start + (rows.first + m * rows.out_step) * w + cols.first;
                    for (x, value) in (0..cols.len).zip(&mut values) {
                        // SAFETY: as above; other phases have other columns.
                        unsafe { y.write(row + x * cols.out_step, *value) };
                    }
                }
            }
        }
    }

    /// The gradient of the weight, `(o, taps)`, from inputs `x` and the outputs' gradient `g`: a product for each panel of
    /// output channels, whose rows are taps and whose steps are pixels.
    pub fn weight_gradient(&self, x: &[f32], g: &[f32], dw: &mut [f32]) {
        let depth = self.from.c * self.rows.taps.len() * self.cols.taps.len();
        let (panels, blocks) = (panels(self.to.c), self.blocks());
        let parts = rayon::current_num_threads().div_ceil(panels.len()).min(blocks.len());
        let task = |task: usize| {
            let ((first, n, width), part) = (panels[task / parts], task % parts);
            let (mut inputs, mut panel) = (Buffer::default(), Buffer::default());
            let mut sums = Buffer::new(depth.next_multiple_of(ROWS) * width);
            let out = sums.first(depth.next_multiple_of(ROWS) * width);
            for (turn, block) in blocks.iter().skip(part).step_by(parts).enumerate() {
                let (pixels, taps) = (self.pixels(block), self.taps(block));
                let inputs = inputs.first(block.pictures.len() * self.from.c * self.plane(block));
                self.fill(block, x, inputs);
                let panel = panel.first(pixels.len() * width);
                self.read(block, g, first..first + n, width, panel);
                let (rows, steps) = (&taps[..], &pixels[..]);
                Product { panel, width, b: inputs, rows, steps, out: &mut *out, add: turn > 0 }
                    .run();
            }
            sums
        };
        let sums: Vec<Buffer> = (0..panels.len() * parts).into_par_iter().map(task).collect();
        // Parts are added in their order, so that the same threads give the same bits.
        let out = Shared::new(dw);
        panels.par_iter().zip(sums.par_chunks(parts)).for_each(|((first, n, width), sums)| {
            // SAFETY: every panel has output channels of its own.
            let dw = unsafe { out.range(first * depth, n * depth) };
            for (part, sums) in sums.iter().enumerate() {
                for (v, dw) in dw.chunks_exact_mut(depth).enumerate() {
                    let values = sums.values()[v..].iter().step_by(*width);
                    for (dw, value) in dw.iter_mut().zip(values) {
                        *dw = if part == 0 { *value } else { *dw + value };
                    }
                }
            }
        });
    }

    /// Packs a block's gradients of the outputs `channels` as a panel `(pixels, width)`.
    fn read(
        &self,
        block: &Block,
        g: &[f32],
        channels: Range<usize>,
        width: usize,
        panel: &mut [f32],
    ) {
        let Pictures { h, w, .. } = self.to;
        let pixels = block.rows.len() * w;
        for (i, panel) in block.pictures.clone().zip(panel.chunks_exact_mut(pixels * width)) {
            let picture = self.to.picture(i).start;
            for (part, panel) in panel.chunks_mut(FEW * width).enumerate() {
                for (v, channel) in channels.clone().enumerate() {
                    let start = picture + channel * h * w + block.rows.start * w + part * FEW;
                    let g = &g[start..][..panel.len() / width];
                    panel[v..].iter_mut().step_by(width).zip(g).for_each(|(to, g)| *to = *g);
                }
                for row in panel.chunks_exact_mut(width) {
                    row[channels.len()..].fill(0.);
                }
            }
        }
    }
}
