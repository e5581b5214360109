//! Large tensors are made and freed at every step. glibc gives each of them back to the system and fetches it again,
//! page by page, which shows in a profile of a training step; told so, it keeps them.

use std::sync::Once;

/// Lets the allocator keep the memory of freed tensors. Done once, at a model's first parameter or a loader's first batch.
pub(crate) fn keep_freed_memory() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        {
            const M_TRIM_THRESHOLD: i32 = -1;
            const M_MMAP_THRESHOLD: i32 = -3;
            unsafe extern "C" {
                fn mallopt(param: i32, value: i32) -> i32;
            }
            // SAFETY: glibc's own setter, with its documented parameters; it may be called at any time.
            unsafe {
                mallopt(M_MMAP_THRESHOLD, 1 << 30);
                mallopt(M_TRIM_THRESHOLD, i32::MAX);
            }
        }
    });
}
