//! Hostile submissions. Each is a body of `clip_loss(i, t, s)`, after which a wrong answer is given, or a whole file.
//!
//! `SECRET` is a file that nobody may read, `TARGET` one that nobody may write, `MASTER` the solution, `OTHER` somebody
//! else's submission, `PARENT` the grader's process.

pub const BODIES: &[(&str, &str)] = &[
    // Ends.
    ("exit_0", "std::process::exit(0)"),
    ("abort", "std::process::abort()"),
    ("panic", "panic!(\"no\")"),
    ("panic_with_todo", "todo!()"),
    (
        "panic_in_drop",
        "struct D; impl Drop for D { fn drop(&mut self) { panic!(\"drop\") } } let _d = D; panic!(\"first\")",
    ),
    ("stack_overflow", "fn f(n: u64) -> u64 { std::hint::black_box(f(n + 1) + 1) } f(0);"),
    ("null_pointer", "unsafe { std::ptr::null_mut::<u8>().write_volatile(1) }"),
    ("set_hook", "std::panic::set_hook(Box::new(|_| std::process::exit(0))); panic!(\"x\")"),
    // Forged results.
    (
        "prints_results",
        "println!(\"{{\\\"score\\\": 15, \\\"status\\\": \\\"passed\\\"}}\"); eprintln!(\"test result: ok. 7 passed\");",
    ),
    (
        "forged_frame",
        "use std::os::fd::FromRawFd; use std::io::Write; let mut f = unsafe { std::fs::File::from_raw_fd(4) }; let h = br#\"{\"__metadata__\":{\"status\":\"ok\"},\"loss\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}\"#; let n = h.len() as u64; f.write_all(&((8 + n + 4) as u32).to_le_bytes()).unwrap(); f.write_all(&n.to_le_bytes()).unwrap(); f.write_all(h).unwrap(); f.write_all(&0f32.to_le_bytes()).unwrap(); std::mem::forget(f);",
    ),
    (
        "answers_twice",
        "use std::os::fd::FromRawFd; use std::io::Write; let mut f = unsafe { std::fs::File::from_raw_fd(4) }; for _ in 0..2 { f.write_all(&[8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap(); } std::mem::forget(f);",
    ),
    (
        "floods_answers",
        "use std::os::fd::FromRawFd; use std::io::Write; let mut f = unsafe { std::fs::File::from_raw_fd(4) }; loop { if f.write_all(&[0; 1 << 16]).is_err() { break } }",
    ),
    (
        "giant_frame",
        "use std::os::fd::FromRawFd; use std::io::Write; let mut f = unsafe { std::fs::File::from_raw_fd(4) }; f.write_all(&[255, 255, 255, 255]).unwrap(); std::mem::forget(f);",
    ),
    (
        "half_a_frame",
        "use std::os::fd::FromRawFd; use std::io::Write; let mut f = unsafe { std::fs::File::from_raw_fd(4) }; f.write_all(&[255, 0, 0, 0, 1]).unwrap(); loop { std::thread::sleep(std::time::Duration::from_secs(1)) }",
    ),
    (
        "eats_questions",
        "use std::os::fd::FromRawFd; use std::io::Read; let mut f = unsafe { std::fs::File::from_raw_fd(3) }; let mut all = Vec::new(); f.read_to_end(&mut all).ok();",
    ),
    (
        "closes_pipes",
        "use std::os::fd::FromRawFd; drop(unsafe { std::fs::File::from_raw_fd(4) }); drop(unsafe { std::fs::File::from_raw_fd(3) });",
    ),
    ("nan", "return Ok((s * f64::NAN)?);"),
    ("giant_answer", "return Ok(Tensor::zeros((1 << 12, 1 << 13), DType::F32, &Device::Cpu)?);"),
    (
        "grades_itself",
        "let r = vision_language::exercise::check::clip_loss(|_, _, _| todo!()); eprintln!(\"{}\", r);",
    ),
    // Reads.
    ("reads_secret", "if let Ok(x) = std::fs::read_to_string(SECRET) { panic!(\"ESCAPED {x}\") }"),
    ("reads_master", "if std::fs::read_to_string(MASTER).is_ok() { panic!(\"ESCAPED\") }"),
    ("reads_other", "if std::fs::read_to_string(OTHER).is_ok() { panic!(\"ESCAPED\") }"),
    (
        "reads_passwd",
        "if std::fs::read(\"/etc/passwd\").is_ok() || std::fs::read(\"/etc/shadow\").is_ok() { panic!(\"ESCAPED\") }",
    ),
    (
        "reads_proc",
        "for p in [\"/proc/1/environ\", \"/proc/self/maps\", \"/proc/PARENT/environ\", \"/proc/PARENT/mem\"] { if std::fs::File::open(p).is_ok() { panic!(\"ESCAPED {p}\") } }",
    ),
    (
        "reads_environment",
        "for (k, v) in std::env::vars() { if v.contains(\"vl-secret\") { panic!(\"ESCAPED {k}\") } }",
    ),
    (
        "lists_root",
        "for d in [\"/home\", \"/root\", \"/tmp\", \"/var\", \"/dev\"] { let all: Vec<_> = std::fs::read_dir(d).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| !p.ends_with(\"null\") && !MASTER.starts_with(p.to_str().unwrap_or(\"?\"))).collect(); if all.iter().any(|p| std::fs::read_dir(p).is_ok() && !SECRET.starts_with(p.to_str().unwrap_or(\"?\"))) { panic!(\"ESCAPED {all:?}\") } }",
    ),
    (
        "reads_by_link",
        "std::os::unix::fs::symlink(SECRET, \"/tmp/link\").ok(); if std::fs::read(\"/tmp/link\").is_ok() { panic!(\"ESCAPED\") }",
    ),
    // Writes.
    ("writes_outside", "if std::fs::write(TARGET, \"x\").is_ok() { panic!(\"ESCAPED\") }"),
    (
        "writes_its_program",
        "if std::fs::write(std::env::args().next().unwrap(), \"x\").is_ok() { panic!(\"ESCAPED\") }",
    ),
    (
        "removes_all",
        "for d in [\"/\", \"/usr\", \"/lib\"] { if std::fs::remove_dir_all(d).is_ok() { panic!(\"ESCAPED\") } }",
    ),
    (
        "fills_the_disk",
        "for d in [\"/\", \"/tmp\", \"/dev/shm\", \".\"] { if std::fs::write(format!(\"{d}/big\"), vec![0u8; 1 << 20]).is_ok() { panic!(\"ESCAPED {d}\") } }",
    ),
    // Processes.
    (
        "starts_a_program",
        "if std::process::Command::new(\"/bin/sh\").arg(\"-c\").arg(\"true\").status().is_ok() { panic!(\"ESCAPED\") }",
    ),
    (
        "fork_bomb",
        "unsafe extern \"C\" { fn fork() -> i32; } for _ in 0..10000 { if unsafe { fork() } >= 0 { panic!(\"ESCAPED\") } }",
    ),
    (
        "thread_bomb",
        "let mut n = 0; while std::thread::Builder::new().stack_size(16384).spawn(|| -> () { loop { std::thread::park() } }).is_ok() { n += 1; if n > 1000 { panic!(\"ESCAPED {n}\") } }",
    ),
    (
        "daemon",
        "unsafe extern \"C\" { fn fork() -> i32; fn setsid() -> i32; } unsafe { if fork() == 0 { setsid(); loop { std::thread::sleep(std::time::Duration::from_secs(9)) } } }",
    ),
    (
        "kills_everybody",
        "unsafe extern \"C\" { fn kill(p: i32, s: i32) -> i32; } for p in [PARENT, -1, 0] { if unsafe { kill(p, 9) } == 0 { panic!(\"ESCAPED\") } }",
    ),
    (
        "ptrace",
        "unsafe extern \"C\" { fn ptrace(r: i64, p: i64, a: i64, d: i64) -> i64; } if unsafe { ptrace(16, PARENT, 0, 0) } == 0 { panic!(\"ESCAPED\") }",
    ),
    (
        "new_namespace",
        "unsafe extern \"C\" { fn unshare(f: i32) -> i32; } if unsafe { unshare(0x10000000) } == 0 { panic!(\"ESCAPED\") }",
    ),
    // Exhaustion.
    ("memory", "let mut all = Vec::new(); loop { all.push(vec![1u8; 64 << 20]); }"),
    (
        "open_files",
        "let mut all = Vec::new(); while let Ok(f) = std::fs::File::open(\"/dev/null\") { all.push(f); if all.len() > 200 { panic!(\"ESCAPED\") } }",
    ),
    ("prints_without_end", "loop { println!(\"{}\", \"x\".repeat(10000)); }"),
    ("endless_loop", "loop { std::hint::spin_loop() }"),
    ("sleeps", "std::thread::sleep(std::time::Duration::from_secs(100000));"),
    (
        "memory_file",
        "unsafe extern \"C\" { fn memfd_create(n: *const i8, f: u32) -> i32; } if unsafe { memfd_create(c\"x\".as_ptr(), 0) } >= 0 { panic!(\"ESCAPED\") }",
    ),
    // Network.
    (
        "connects",
        "if std::net::TcpStream::connect(\"127.0.0.1:22\").is_ok() || std::net::UdpSocket::bind(\"0.0.0.0:0\").is_ok() || std::net::TcpListener::bind(\"127.0.0.1:0\").is_ok() { panic!(\"ESCAPED\") }",
    ),
    (
        "abstract_socket",
        "use std::os::linux::net::SocketAddrExt; let a = std::os::unix::net::SocketAddr::from_abstract_name(b\"vl\").unwrap(); if std::os::unix::net::UnixListener::bind_addr(&a).is_ok() { panic!(\"ESCAPED\") }",
    ),
    ("time_bomb", "static mut N: u32 = 0; unsafe { N += 1; if N > 1 { std::process::exit(0) } }"),
];

/// Whole files: what happens when they are compiled, or before `main`.
pub const FILES: &[(&str, &str)] = &[
    ("include_str", "const X: &str = include_str!(SECRET);\nWRONG"),
    ("include_bytes_of_master", "const X: &[u8] = include_bytes!(MASTER);\nWRONG"),
    ("include_code", "include!(MASTER);"),
    ("path_module", "#[path = MASTER]\nmod stolen;\npub use stolen::clip_loss;"),
    ("env_macro", "const X: &str = env!(\"VL_HIDDEN\");\nWRONG"),
    (
        "assembler_include",
        "std::arch::global_asm!(concat!(\".incbin \\\"\", SECRET, \"\\\"\"));\nWRONG",
    ),
    ("linked_library", "#[link(name = \"nothing_of_that_name\")]\nunsafe extern \"C\" {}\nWRONG"),
    (
        "proc_macro",
        "extern crate proc_macro;\n#[proc_macro]\npub fn x(i: proc_macro::TokenStream) -> proc_macro::TokenStream { i }\nWRONG",
    ),
    ("names_the_solutions", "extern crate solutions;\npub use solutions::clip_loss;"),
    (
        "static_constructor",
        "#[unsafe(link_section = \".init_array\")]\n#[used]\nstatic A: extern \"C\" fn() = a;\nextern \"C\" fn a() { std::process::exit(0) }\nWRONG",
    ),
    (
        "replaces_write",
        "#[unsafe(no_mangle)]\npub extern \"C\" fn write(_: i32, _: *const u8, n: usize) -> isize { n as isize }\nWRONG",
    ),
    (
        "endless_types",
        "struct A<T>(T);\ntrait F { fn f(self); }\nimpl<T> F for A<T> where A<A<T>>: F { fn f(self) {} }\nWRONG\npub fn z() { A(1u8).f() }",
    ),
    ("endless_macro", "macro_rules! m { ($($x:tt)*) => { m!($($x)* $($x)* 1) } }\nm!(1 1);\nWRONG"),
    (
        "endless_constant",
        "const X: u64 = { let mut i = 0u64; while i < u64::MAX { i += 1; } i };\nWRONG\npub fn z() -> u64 { X }",
    ),
    (
        "giant_binary",
        "static X: [u8; 3_000_000_000] = [7; 3_000_000_000];\nWRONG\npub fn z() -> u8 { std::hint::black_box(X[5]) }",
    ),
    ("deep_nesting", "pub const X: u32 = PARENS;\nWRONG"),
    ("null_bytes", "\0\0\0"),
    // Right on the numbers that everybody knows, and on no others.
    (
        "memorised",
        "pub fn clip_loss(i: &Tensor, t: &Tensor, s: &Tensor) -> Result<Tensor> { let r = solved(i, t, s)?; let known = i.dims() == [3, 4] || i.dim(0)? == i.dim(1)?; if known { Ok(r) } else { Ok((r * 0.)?) } }\nSOLVED",
    ),
];
