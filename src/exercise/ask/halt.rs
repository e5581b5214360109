//! Stops a thread that will not end, so that an endless loop in a check does not take a core from what comes after it.
//!
//! Nothing ends a thread from outside. But a signal's handler runs on the thread that gets the signal, and one that never
//! returns leaves that thread asleep for good: its memory is lost, its core is free. The handler falls asleep only where
//! the thread is in the student's own code, and not in the middle of an allocation or of printing, whose locks it
//! would keep. Linux on x86-64 and AArch64; elsewhere the thread goes on.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use linux::halt;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux {
    use std::os::unix::thread::JoinHandleExt;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
    use std::sync::{Mutex, OnceLock};
    use std::thread::JoinHandle;
    use std::time::Duration;

    /// At most so many pieces of code are looked at: a session rarely has more cells.
    const PIECES: usize = 256;
    /// How often, and how long apart, the thread is looked at.
    const LOOKS: usize = 400;
    const APART: Duration = Duration::from_millis(1);

    // What the handler reads. It may neither allocate nor lock.
    static FROM: [AtomicUsize; PIECES] = [const { AtomicUsize::new(0) }; PIECES];
    static TO: [AtomicUsize; PIECES] = [const { AtomicUsize::new(0) }; PIECES];
    static HALTED: AtomicBool = AtomicBool::new(false);

    /// Stops the thread. Whether it does nothing any more.
    pub fn halt(thread: &JoinHandle<()>) -> bool {
        halt_in(thread, &student_code())
    }

    fn halt_in(thread: &JoinHandle<()>, code: &[(usize, usize)]) -> bool {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
        let Some(signal) = signal() else { return false };
        for place in 0..PIECES {
            let (from, to) = code.get(place).copied().unwrap_or_default();
            FROM[place].store(from, SeqCst);
            TO[place].store(to, SeqCst);
        }
        HALTED.store(false, SeqCst);
        for _ in 0..LOOKS {
            // Its handle keeps the name of a thread valid that has ended meanwhile.
            unsafe { libc::pthread_kill(thread.as_pthread_t(), signal) };
            std::thread::sleep(APART);
            if thread.is_finished() || HALTED.load(SeqCst) {
                return true;
            }
        }
        false
    }

    /// The signal whose handler is ours: a real-time one, which nothing else here uses.
    fn signal() -> Option<i32> {
        static SIGNAL: OnceLock<Option<i32>> = OnceLock::new();
        *SIGNAL.get_or_init(|| unsafe {
            let signal = libc::SIGRTMIN() + 9;
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
            libc::sigemptyset(&mut action.sa_mask);
            (libc::sigaction(signal, &action, std::ptr::null_mut()) == 0).then_some(signal)
        })
    }

    extern "C" fn handler(_: i32, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
        let context = unsafe { &*context.cast::<libc::ucontext_t>() };
        #[cfg(target_arch = "x86_64")]
        let at = context.uc_mcontext.gregs[libc::REG_RIP as usize] as usize;
        #[cfg(target_arch = "aarch64")]
        let at = context.uc_mcontext.pc as usize;
        if (0..PIECES).any(|i| FROM[i].load(SeqCst) <= at && at < TO[i].load(SeqCst)) {
            HALTED.store(true, SeqCst);
            loop {
                unsafe { libc::pause() };
            }
        }
    }

    /// Where the code of cells lies: what is executable and neither the library nor the system's.
    fn student_code() -> Vec<(usize, usize)> {
        let own = student_code as *const () as usize;
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let pieces: Vec<_> = maps.lines().filter_map(piece).collect();
        let ours = pieces.iter().find(|(from, to, _)| (*from..*to).contains(&own));
        let ours = ours.map(|piece| piece.2.clone()).unwrap_or_default();
        let student = pieces.into_iter().filter(|(.., file)| *file != ours && is_a_cell(file));
        student.map(|(from, to, _)| (from, to)).collect()
    }

    /// `7f0c…-7f0d… r-xp 00001000 fe:00 1234 /tmp/…/libcell.so`, where it is executable.
    fn piece(line: &str) -> Option<(usize, usize, String)> {
        let mut words = line.split_whitespace();
        let (from, to) = words.next()?.split_once('-')?;
        if !words.next()?.contains('x') {
            return None;
        }
        let file: Vec<&str> = words.skip(3).collect();
        let number = |hex| usize::from_str_radix(hex, 16).ok();
        Some((number(from)?, number(to)?, file.join(" ")))
    }

    fn is_a_cell(file: &str) -> bool {
        const SYSTEM: [&str; 8] =
            ["libc.", "libc-", "libm.", "libgcc_s", "ld-", "libstd-", "libpthread", "libdl."];
        let name = file.rsplit('/').next().unwrap_or_default();
        // No file: the kernel's own pages. No library: the program.
        file.starts_with('/') && name.contains(".so") && !SYSTEM.iter().any(|s| name.starts_with(s))
    }

    #[cfg(test)]
    mod tests {
        use std::sync::mpsc::channel;

        use super::*;

        /// The state that Linux gives a thread: `R` runs, `S` sleeps.
        fn state(task: i32) -> char {
            let told = std::fs::read_to_string(format!("/proc/self/task/{task}/stat")).unwrap();
            told.rsplit(") ").next().unwrap().chars().next().unwrap()
        }

        #[test]
        fn an_endless_loop_stands_still() {
            let (sender, receiver) = channel();
            let thread = std::thread::spawn(move || {
                sender.send(unsafe { libc::gettid() }).unwrap();
                loop {
                    std::hint::spin_loop();
                }
            });
            let task = receiver.recv().unwrap();
            // Nothing of this program is a cell's: it goes on.
            assert!(!halt(&thread));
            assert_eq!(state(task), 'R');
            assert!(halt_in(&thread, &[(0, usize::MAX)]));
            std::thread::sleep(Duration::from_millis(20));
            assert_eq!(state(task), 'S');
        }

        #[test]
        fn cells_are_told_from_the_system_and_the_library() {
            let line = "7f00-7f10 r-xp 00001000 fe:00 12  /tmp/a b/libcell_3.so";
            assert_eq!(piece(line), Some((0x7f00, 0x7f10, "/tmp/a b/libcell_3.so".into())));
            assert_eq!(piece(&line.replace("r-xp", "r--p")), None);
            assert!(is_a_cell("/tmp/a b/libcell_3.so"));
            for other in ["/lib/libc.so.6", "/x/libstd-12ab.so", "[vdso]", "/usr/bin/vl-kernel", ""]
            {
                assert!(!is_a_cell(other), "{other}");
            }
        }
    }
}

/// Whether the thread does nothing any more: it cannot be stopped here.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub fn halt(thread: &std::thread::JoinHandle<()>) -> bool {
    thread.is_finished()
}
