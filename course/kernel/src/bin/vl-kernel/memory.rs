//! How much memory there is, for a word on a process that the system has killed.

/// What the machine allows, in GB, where it can be told: this container's limit, or the machine's memory.
pub fn limits() -> Option<f64> {
    let number = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<f64>().ok();
    let container = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limit = container.iter().find_map(|path| number(path)).filter(|bytes| *bytes < 1e15);
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    });
    let machine = machine.map(|kilobytes| kilobytes * 1024.);
    let least = match (limit, machine) {
        (Some(limit), Some(machine)) => Some(limit.min(machine)),
        (limit, machine) => limit.or(machine),
    };
    least.map(|bytes| bytes / 1e9)
}
