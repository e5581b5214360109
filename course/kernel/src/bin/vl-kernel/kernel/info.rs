//! Who the kernel is.

use serde_json::{Value, json};

use crate::wire::message::PROTOCOL;

/// The answer to `kernel_info_request`.
pub fn kernel_info() -> Value {
    let link = |text: &str, url: &str| json!({"text": text, "url": url});
    json!({
        "status": "ok",
        "protocol_version": PROTOCOL,
        "implementation": "vl-kernel",
        "implementation_version": env!("CARGO_PKG_VERSION"),
        "language_info": {
            "name": "rust", "version": "2024", "mimetype": "text/rust", "file_extension": ".rs",
            "pygments_lexer": "rust", "codemirror_mode": "rust",
        },
        "banner": "Rust for the lecture Vision and Language. `:help` lists what there is.",
        "help_links": [
            link("Tensors: candle_core", "https://docs.rs/candle-core/latest/candle_core/struct.Tensor.html"),
            link("Layers: candle_nn", "https://docs.rs/candle-nn/latest/candle_nn/"),
            link("The Rust book", "https://doc.rust-lang.org/book/"),
            link("Rust's standard library", "https://doc.rust-lang.org/std/"),
        ],
        "supported_features": [],
    })
}
