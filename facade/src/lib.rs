pub use vision_language::*;
