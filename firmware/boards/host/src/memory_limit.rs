//! How much memory the process may have: on a small computer, in a container or under a limit, the
//! broker gets a part of that, not what is enough for a large one.

use std::fs;
use std::path::Path;

use rlimit::Resource;
use umqtt_device::device::DeviceOptions;

/// The broker's part. While all of it is written at once to where it is kept, that takes three
/// times as much; the rest is for the connections' buffers, the script, what the allocator and the
/// operating system need, and other programs.
const PART: u64 = 8;
/// What the broker has at least: with less it is of no use.
const LEAST: u64 = 4 << 20;

/// Bytes of address space that threads and their allocators reserve and hardly use.
const RESERVED: u64 = 192 << 20;

/// The options of the desktop device on this computer.
pub(crate) fn options() -> DeviceOptions {
    let mut options = DeviceOptions::DESKTOP;
    let most = options.plan.broker.min(options.limits.max_memory);
    let broker = limit(Path::new("/")).map_or(most, |limit| budget(limit, most));
    options.plan.broker = broker;
    // What is within it is no larger.
    options.plan.upload = options.plan.upload.min(broker);
    options.plan.http = options.plan.http.min(broker);
    options.plan.upstream = options.plan.upstream.min(broker);
    options.limits.max_memory = broker;
    options
}

/// The broker's budget where the process may have so many bytes.
fn budget(limit: u64, most: usize) -> usize {
    usize::try_from((limit / PART).max(LEAST)).map_or(most, |part| part.min(most))
}

/// The least of: the computer's memory, the limits of the control groups the process is in
/// (cgroups(7)), and that of its address space (`ulimit -v`). `None` where nothing says so.
fn limit(root: &Path) -> Option<u64> {
    let address_space = Resource::AS.get().ok().map(|(soft, _)| soft.saturating_sub(RESERVED));
    let limits = [memory(root), control_groups(root), address_space];
    limits.into_iter().flatten().min()
}

/// Bytes of the computer's memory: the line `MemTotal:  16384 kB` of proc_meminfo(5).
fn memory(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok().map(|kib: u64| kib * 1024)
}

/// The least limit of the control group and those above it: version 2, and version 1 in a
/// container, which sees its own as the root.
fn control_groups(root: &Path) -> Option<u64> {
    let groups = root.join("sys/fs/cgroup");
    let number = |file: &Path| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let own = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let of_version_2 =
        Path::new(own).ancestors().map(|group| groups.join(group).join("memory.max"));
    let of_version_1 = [groups.join("memory/memory.limit_in_bytes")];
    of_version_2.chain(of_version_1).filter_map(|file| number(&file)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        root
    }

    #[test]
    fn the_least_limit_above_the_process_counts() {
        let of = |files: &[(&str, &str)]| limit(root(files).path());
        let meminfo = ("proc/meminfo", "MemTotal:         500000 kB\nMemFree:  1 kB\n");
        assert_eq!(of(&[meminfo]), Some(512_000_000));
        let own = ("proc/self/cgroup", "0::/system.slice/umqtt.service\n");
        let service = ("sys/fs/cgroup/system.slice/umqtt.service/memory.max", "max\n");
        let slice = ("sys/fs/cgroup/system.slice/memory.max", "67108864\n");
        assert_eq!(of(&[meminfo, own, service]), Some(512_000_000));
        assert_eq!(of(&[meminfo, own, service, slice]), Some(64 << 20));
        let container = ("sys/fs/cgroup/memory.max", "33554432\n");
        assert_eq!(of(&[meminfo, ("proc/self/cgroup", "0::/\n"), container]), Some(32 << 20));
        let version_1 = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1048576\n");
        assert_eq!(of(&[meminfo, version_1]), Some(1 << 20));
        for broken in ["", "MemTotal:", "MemTotal: many kB", "MemTotal: 5 MB"] {
            assert_eq!(memory(root(&[("proc/meminfo", broken)]).path()), None, "{broken}");
        }
    }

    #[test]
    fn the_broker_has_a_part_of_it() {
        assert_eq!(budget(64 << 30, 1 << 30), 1 << 30);
        assert_eq!(budget(512 << 20, 1 << 30), 64 << 20);
        assert_eq!(budget(0, 1 << 30), 4 << 20);
        assert_eq!(budget(u64::MAX, 1 << 30), 1 << 30);
    }
}
