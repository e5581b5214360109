//! Pictures as the encoders want them.

/// Resize and normalise: the lecture's `transforms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Transform {
    /// The side of the square that pictures are resized to, pixels.
    pub size: usize,
    /// The mean of each channel, 0 to 1.
    pub mean: [f32; 3],
    /// The deviation of each channel, 0 to 1.
    pub std: [f32; 3],
}
