//! System calls that a compiler or a worker may make; every other one fails with "operation not permitted".

use std::collections::BTreeMap;
use std::io;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use super::Phase;

/// Files, memory, threads, time: what every Rust program does.
const BOTH: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_close,
    libc::SYS_openat,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_lseek,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_ppoll,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_set_robust_list,
    libc::SYS_get_robust_list,
    libc::SYS_rseq,
    libc::SYS_set_tid_address,
    libc::SYS_prlimit64,
    libc::SYS_getrlimit,
    libc::SYS_readlinkat,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fcntl,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
    libc::SYS_eventfd2,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getppid,
    libc::SYS_execve,
    libc::SYS_restart_syscall,
    libc::SYS_membarrier,
    libc::SYS_clone3,
];

/// Their names before `…at` was there.
#[cfg(target_arch = "x86_64")]
const BOTH_OLD: &[c_long] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_arch_prctl,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const BOTH_OLD: &[c_long] = &[];

/// Processes and new files: what a compiler and a linker do.
const COMPILER: &[c_long] = &[
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_pwrite64,
    libc::SYS_ftruncate,
    libc::SYS_truncate,
    libc::SYS_fallocate,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_unlinkat,
    libc::SYS_mkdirat,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_utimensat,
    libc::SYS_flock,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_umask,
    libc::SYS_fadvise64,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_getrusage,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_chdir,
    libc::SYS_getpgid,
    libc::SYS_sched_setaffinity,
    libc::SYS_times,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_preadv,
    libc::SYS_pwritev,
];

#[cfg(target_arch = "x86_64")]
const COMPILER_OLD: &[c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_rename,
    libc::SYS_unlink,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_link,
    libc::SYS_symlink,
    libc::SYS_chmod,
];
#[cfg(not(target_arch = "x86_64"))]
const COMPILER_OLD: &[c_long] = &[];

/// Restricts this process and those that it starts.
pub(super) fn install(phase: Phase) -> io::Result<()> {
    let broken = |error: &dyn std::fmt::Display| io::Error::other(format!("seccomp: {error}"));
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|e| broken(&e))?;
    let mut allowed: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let lists = match phase {
        Phase::Run => vec![BOTH, BOTH_OLD],
        Phase::Compile => vec![BOTH, BOTH_OLD, COMPILER, COMPILER_OLD],
    };
    for call in lists.into_iter().flatten() {
        allowed.insert(*call, Vec::new());
    }
    let mut only = |call: c_long, argument: u8, op: SeccompCmpOp, value: u64| -> io::Result<()> {
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value);
        let rule = SeccompRule::new(vec![condition.map_err(|e| broken(&e))?]);
        allowed.entry(call).or_default().push(rule.map_err(|e| broken(&e))?);
        Ok(())
    };
    let thread = libc::CLONE_THREAD as u64;
    match phase {
        // Threads, and no process.
        Phase::Run => only(libc::SYS_clone, 0, SeccompCmpOp::MaskedEq(thread), thread)?,
        // Processes, and no namespaces.
        Phase::Compile => only(libc::SYS_clone, 0, SeccompCmpOp::MaskedEq(NAMESPACES), 0)?,
    }
    // Signals to itself: abort, and a thread's end.
    only(libc::SYS_tgkill, 0, SeccompCmpOp::Eq, u64::from(std::process::id()))?;
    if phase == Phase::Compile {
        // A pair without an address leads nowhere: the standard library hears of a failed exec by one.
        only(libc::SYS_socketpair, 0, SeccompCmpOp::Eq, libc::AF_UNIX as u64)?;
        only(libc::SYS_tgkill, 2, SeccompCmpOp::Eq, libc::SIGABRT as u64)?;
    }
    for name in [libc::PR_SET_NAME, libc::PR_GET_NAME] {
        only(libc::SYS_prctl, 0, SeccompCmpOp::Eq, name as u64)?;
    }
    // Is it a terminal? How wide? Close it on exec; do not block.
    for request in [libc::TCGETS, libc::TIOCGWINSZ, libc::FIOCLEX, libc::FIONBIO] {
        only(libc::SYS_ioctl, 1, SeccompCmpOp::Eq, request)?;
    }
    let no = SeccompAction::Errno(libc::EPERM as u32);
    let list =
        SeccompFilter::new(allowed, no, SeccompAction::Allow, arch).map_err(|e| broken(&e))?;
    // Its arguments lie in memory, where no filter sees them. The C library then takes `clone`.
    let clone3 = SeccompAction::Errno(libc::ENOSYS as u32);
    let absent = [(libc::SYS_clone3, Vec::new())].into();
    let absent = SeccompFilter::new(absent, SeccompAction::Allow, clone3, arch);
    let absent: BpfProgram = absent.and_then(BpfProgram::try_from).map_err(|e| broken(&e))?;
    let list: BpfProgram = list.try_into().map_err(|e| broken(&e))?;
    seccompiler::apply_filter(&absent).map_err(|e| broken(&e))?;
    seccompiler::apply_filter(&list).map_err(|e| broken(&e))
}

/// The flags of `clone` that make namespaces.
const NAMESPACES: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u64;
