//! The process that locks itself in and becomes the program.
//!
//! ```text
//! launcher ── waits, gives the exit code on, ends the rest when it is told to
//!   └ first process of the new namespaces ── makes the file tree; when it ends, the kernel ends all others
//!       └ program ── another user, limits, Landlock, system call filter, then exec
//! ```

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};

use super::{BROKEN, Cage, Layer, Limits, files, filter, mounts};

/// Whom the launcher ends when it is told to end.
static CHILD: AtomicI32 = AtomicI32::new(0);

/// Never returns.
pub fn enter(mut arguments: impl Iterator<Item = OsString>) -> ! {
    let cage = arguments.next().and_then(|json| serde_json::from_slice(json.as_bytes()).ok());
    let outcome = match cage {
        Some(cage) => launch(&cage, &arguments.collect::<Vec<_>>()),
        None => Err(io::Error::other("it is started by `cargo vl grade`")),
    };
    let code = outcome.unwrap_or_else(|error| {
        eprintln!("cage: {error}");
        BROKEN
    });
    std::process::exit(code)
}

/// An error of the system's with what was being done.
pub(super) fn done(what: &str, code: i32) -> io::Result<i32> {
    match code {
        -1 => {
            let error = io::Error::last_os_error();
            Err(io::Error::new(error.kind(), format!("{what}: {error}")))
        }
        code => Ok(code),
    }
}

fn launch(cage: &Cage, program: &[OsString]) -> io::Result<i32> {
    // This process has one thread and nothing that the calls below could confuse.
    unsafe {
        done("prctl", libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
        done("prctl", libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1))?;
        descriptors(cage.pipes)?;
        // A session and group of their own: a signal to the group reaches nobody else.
        libc::setsid();
        let ids = (libc::getuid(), libc::getgid());
        let namespaces = cage.layers.contains(&Layer::Namespaces);
        if namespaces {
            unshare(ids)?;
        }
        let mut go = [0; 2];
        done("pipe", libc::pipe(go.as_mut_ptr()))?;
        let child = done("fork", libc::fork())?;
        if child == 0 {
            let code = first(cage, program, namespaces, go).unwrap_or_else(|error| {
                eprintln!("cage: {error}");
                BROKEN
            });
            libc::_exit(code);
        }
        CHILD.store(child, Ordering::SeqCst);
        let handler = on_term as extern "C" fn(i32) as usize;
        libc::signal(libc::SIGTERM, handler);
        libc::close(go[0]);
        libc::write(go[1], [1u8].as_ptr().cast(), 1);
        let code = wait_for(child)?;
        end_children();
        Ok(code)
    }
}

extern "C" fn on_term(_: i32) {
    let child = CHILD.load(Ordering::SeqCst);
    if child > 0 {
        // Safety: both may be called in a handler.
        unsafe { libc::kill(child, libc::SIGKILL) };
    }
}

/// The first process of the namespaces, or, without them, the program's own.
unsafe fn first(
    cage: &Cage,
    program: &[OsString],
    namespaces: bool,
    go: [i32; 2],
) -> io::Result<i32> {
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::close(go[1]);
        // Nothing to read: the launcher has ended before it could have taken us along.
        let mut byte = 0u8;
        if libc::read(go[0], (&raw mut byte).cast(), 1) != 1 {
            return Ok(BROKEN);
        }
        libc::close(go[0]);
        if !namespaces {
            become_program(cage, program)?;
        }
        mounts::enter(cage)?;
        let child = done("fork", libc::fork())?;
        if child == 0 {
            become_program(cage, program)?;
        }
        // It holds no end of a pipe: who reads one sees its end when the program ends.
        libc::close_range(0, u32::MAX, 0);
        wait_for(child)
    }
}

/// Locks this process in and becomes the program. Returns only an error.
unsafe fn become_program(cage: &Cage, program: &[OsString]) -> io::Result<()> {
    unsafe {
        let folder = cage.write.as_deref().unwrap_or(Path::new("/"));
        let folder = c_string(folder.as_os_str().as_bytes())?;
        if let Some(user) = cage.user() {
            limit_processes(&cage.limits)?;
            done("setgroups", libc::setgroups(0, std::ptr::null()))?;
            done("setresgid", libc::setresgid(user, user, user))?;
            done("setresuid", libc::setresuid(user, user, user))?;
            // A change of user forgets it.
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        } else {
            limit_processes(&cage.limits)?;
        }
        limits(&cage.limits)?;
        done("chdir", libc::chdir(folder.as_ptr()))?;
        libc::umask(0o022);
        done("no new privileges", libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        let arguments: Vec<CString> =
            program.iter().map(|word| c_string(word.as_bytes())).collect::<io::Result<_>>()?;
        let mut argv: Vec<_> = arguments.iter().map(|word| word.as_ptr()).collect();
        argv.push(std::ptr::null());
        let path = argv[0];
        let environment = environment(cage)?;
        let mut envp: Vec<_> = environment.iter().map(|word| word.as_ptr()).collect();
        envp.push(std::ptr::null());
        if cage.layers.contains(&Layer::Landlock) {
            files::restrict(cage)?;
        }
        if cage.layers.contains(&Layer::Seccomp) {
            filter::install(cage.phase)?;
        }
        libc::execve(path, argv.as_ptr(), envp.as_ptr());
        Err(io::Error::last_os_error())
    }
}

/// What a compiler and candle look for; nothing of ours.
fn environment(cage: &Cage) -> io::Result<Vec<CString>> {
    let folder = cage.write.as_deref().unwrap_or(Path::new("/"));
    let mut list = vec![
        format!("TMPDIR={}", folder.display()),
        "PATH=/usr/bin:/bin".into(),
        "LANG=C.UTF-8".into(),
        "RUST_BACKTRACE=0".into(),
        "RAYON_NUM_THREADS=1".into(),
        "CANDLE_BARRIER_POOL_SPIN_LIMIT=0".into(),
        // Each arena takes 64 MiB of the address space.
        "MALLOC_ARENA_MAX=2".into(),
    ];
    if let Some(libraries) = &cage.libraries {
        list.push(format!("LD_LIBRARY_PATH={}", libraries.display()));
    }
    if cage.phase == super::Phase::Compile {
        list.push(format!("HOME={}", folder.display()));
    }
    list.iter().map(|text: &String| c_string(text.as_bytes())).collect()
}

fn c_string(bytes: &[u8]) -> io::Result<CString> {
    CString::new(bytes).map_err(|_| io::Error::other("a name with a zero in it"))
}

/// 0 and 1 become 3 and 4, for a worker; everything else is closed.
unsafe fn descriptors(pipes: bool) -> io::Result<()> {
    unsafe {
        if pipes {
            for (from, to) in [(0, 103), (1, 104)] {
                done("dup", libc::dup2(from, to))?;
            }
            for (from, to) in [(103, 3), (104, 4), (2, 1)] {
                done("dup", libc::dup2(from, to))?;
            }
            let null = done("/dev/null", libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY))?;
            done("dup", libc::dup2(null, 0))?;
        }
        libc::close_range(if pipes { 5 } else { 3 }, u32::MAX, 0);
        Ok(())
    }
}

/// New namespaces; who is not root becomes itself in a user namespace of its own.
unsafe fn unshare((uid, gid): (u32, u32)) -> io::Result<()> {
    let others = libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS;
    unsafe {
        if uid == 0 {
            done("namespaces", libc::unshare(others))?;
            return Ok(());
        }
        done("namespaces", libc::unshare(others | libc::CLONE_NEWUSER))?;
    }
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))
}

unsafe fn set(what: libc::__rlimit_resource_t, soft: u64, hard: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    done("a limit", unsafe { libc::setrlimit(what, &limit) }).map(drop)
}

/// Before the user changes: afterwards nothing may be raised.
unsafe fn limit_processes(limits: &Limits) -> io::Result<()> {
    unsafe { set(libc::RLIMIT_NPROC, limits.processes, limits.processes) }
}

unsafe fn limits(limits: &Limits) -> io::Result<()> {
    unsafe {
        // SIGXCPU first, which tells a reader why; SIGKILL a second later.
        set(libc::RLIMIT_CPU, limits.cpu, limits.cpu + 1)?;
        set(libc::RLIMIT_AS, limits.memory, limits.memory)?;
        set(libc::RLIMIT_FSIZE, limits.file, limits.file)?;
        set(libc::RLIMIT_NOFILE, limits.files, limits.files)?;
        set(libc::RLIMIT_CORE, 0, 0)?;
        set(libc::RLIMIT_MEMLOCK, 0, 0)?;
        set(libc::RLIMIT_MSGQUEUE, 0, 0)
    }
}

/// The exit code of a child, 128 and the number for a signal. Others that end meanwhile are no more than taken note of.
unsafe fn wait_for(child: i32) -> io::Result<i32> {
    loop {
        let mut status = 0;
        match unsafe { libc::waitpid(-1, &mut status, 0) } {
            -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            -1 => return done("wait", -1),
            pid if pid == child && libc::WIFEXITED(status) => {
                return Ok(libc::WEXITSTATUS(status));
            }
            pid if pid == child && libc::WIFSIGNALED(status) => {
                return Ok(128 + libc::WTERMSIG(status));
            }
            _ => {}
        }
    }
}

/// Without a process namespace, children that were left behind become ours; they end here.
unsafe fn end_children() {
    loop {
        let own = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
        let pids: Vec<i32> = own.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
        if pids.is_empty() {
            return;
        }
        for pid in pids {
            unsafe {
                libc::kill(pid, libc::SIGKILL);
                libc::waitpid(pid, std::ptr::null_mut(), 0);
            }
        }
    }
}
