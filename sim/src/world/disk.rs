//! A disk with the semantics of fsync: what was not synced is gone after a power loss.
//!
//! The backend of the stores. `live` is what the operating system shows, `durable` what the platter holds;
//! between them stands the list of places that were written since the last sync. A dead disk refuses every
//! call, so that a database that is dropped by a crash cannot tidy up in its destructor. A failing disk
//! refuses some calls while its host runs, one that lies syncs nothing, and one that is slow has its host
//! wait.

use super::wires::Wires;
use crate::scenario::{DiskFailure, Host};
use redb::StorageBackend;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A disk; clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimDisk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Where `live` was written since the last sync.
    unsynced: Vec<Range<usize>>,
    /// The shortest that it has been since: what came behind this was written anew.
    shortest: usize,
    dead: bool,
    /// The failures in force; the first one counts.
    failures: Vec<DiskFailure>,
    /// How many faults have it say that it has synced, and not do it.
    lies: usize,
    /// How long each sync takes, and who waits for it.
    slow: Vec<Slow>,
}

/// A sync that takes time: whose process waits for it, and on which network that shows.
#[derive(Debug, Clone)]
struct Slow {
    by: Duration,
    host: Host,
    wires: Arc<Wires>,
}

impl SimDisk {
    /// From now on every call fails, until [`SimDisk::revive`].
    pub fn kill(&self) {
        self.platter().dead = true;
    }

    /// The power goes: unsynced writes are lost, and every call fails until [`SimDisk::revive`].
    pub fn lose_power(&self) {
        let mut platter = self.platter();
        platter.dead = true;
        platter.unsynced.clear();
        platter.live = platter.durable.clone();
        platter.shortest = platter.live.len();
    }

    /// The disk answers again.
    pub fn revive(&self) {
        self.platter().dead = false;
    }

    /// From now on calls fail in this way, until [`SimDisk::mend`].
    pub fn fail(&self, how: DiskFailure) {
        self.platter().failures.push(how);
    }

    /// Ends a failure; says whether the disk is sound.
    pub fn mend(&self, how: DiskFailure) -> bool {
        let failures = &mut self.platter().failures;
        if let Some(place) = failures.iter().position(|failure| *failure == how) {
            failures.remove(place);
        }
        failures.is_empty()
    }

    /// From now on a sync is a lie, until [`SimDisk::be_honest`].
    pub fn lie(&self) {
        self.platter().lies += 1;
    }

    /// Ends one [`SimDisk::lie`]; what was said to be synced is, if the power has held.
    pub fn be_honest(&self) {
        let mut platter = self.platter();
        platter.lies = platter.lies.saturating_sub(1);
        if platter.lies == 0 {
            platter.sync();
        }
    }

    /// From now on each sync takes so long, during which a host neither speaks nor hears on its network.
    pub(super) fn slow_down(&self, by: Duration, host: &Host, wires: &Arc<Wires>) {
        let slow = Slow { by, host: host.clone(), wires: Arc::clone(wires) };
        self.platter().slow.push(slow);
    }

    /// Ends one [`SimDisk::slow_down`].
    pub(super) fn quicken(&self, by: Duration) {
        let slow = &mut self.platter().slow;
        if let Some(place) = slow.iter().position(|slow| slow.by == by) {
            slow.remove(place);
        }
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().expect("disk calls do not panic")
    }

    fn alive(&self) -> io::Result<MutexGuard<'_, Platter>> {
        let platter = self.platter();
        match (platter.dead, platter.failures.first()) {
            (true, _) => Err(broken("the disk is gone")),
            (false, Some(DiskFailure::Io)) => Err(broken("input/output error")),
            (false, Some(DiskFailure::Full) | None) => Ok(platter),
        }
    }

    /// The disk, if it has room for a change.
    fn roomy(&self) -> io::Result<MutexGuard<'_, Platter>> {
        let platter = self.alive()?;
        match platter.failures.first() {
            Some(DiskFailure::Io | DiskFailure::Full) => {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            None => Ok(platter),
        }
    }
}

fn broken(why: &'static str) -> io::Error {
    io::Error::other(why)
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl Platter {
    fn resize(&mut self, length: usize) {
        self.shortest = self.shortest.min(length);
        self.live.resize(length, 0);
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let place = offset..offset.saturating_add(bytes.len());
        let room = self.live.get_mut(place.clone());
        room.ok_or_else(|| broken("a write beyond the end"))?.copy_from_slice(bytes);
        self.unsynced.push(place);
        Ok(())
    }

    fn sync(&mut self) {
        self.durable.truncate(self.shortest);
        self.durable.extend(self.live.get(self.durable.len()..).unwrap_or_default());
        let end = self.live.len();
        for place in self.unsynced.drain(..) {
            // What was written and then cut off is nowhere.
            let place = place.start.min(end)..place.end.min(end);
            if let Some(to) = self.durable.get_mut(place.clone()) {
                to.copy_from_slice(self.live.get(place).unwrap_or_default());
            }
        }
        self.shortest = end;
    }
}

impl StorageBackend for SimDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.alive()?.live.len()).unwrap_or(u64::MAX))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let platter = self.alive()?;
        let start = index(offset);
        let bytes = platter.live.get(start..start.saturating_add(out.len()));
        out.copy_from_slice(bytes.ok_or_else(|| broken("a read beyond the end"))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.roomy()?.resize(index(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.alive()?;
        if platter.lies == 0 {
            platter.sync();
        }
        let slow = platter.slow.clone();
        drop(platter);
        for Slow { by, host, wires } in slow {
            wires.stall(&host, by);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.roomy()?.write(index(offset), data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn read(disk: &SimDisk, length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        disk.read(0, &mut out).unwrap();
        out
    }

    #[test]
    fn a_power_loss_takes_exactly_what_was_not_synced() {
        let disk = SimDisk::default();
        disk.set_len(4).unwrap();
        disk.write(0, b"ab").unwrap();
        disk.sync_data().unwrap();
        disk.write(2, b"cd").unwrap();
        assert_eq!(read(&disk, 4), b"abcd");
        disk.lose_power();
        assert!(disk.len().is_err() && disk.sync_data().is_err(), "a dead disk answered");
        disk.revive();
        assert_eq!(read(&disk, 4), b"ab\0\0");
    }

    proptest! {
        #[test]
        fn a_sync_saves_exactly_what_is_shown(
            writes in vec((0_usize..40, 0_usize..40, any::<u8>(), 0_u8..8), 0..20),
        ) {
            let (disk, mut saved) = (SimDisk::default(), Vec::new());
            for (offset, length, byte, deed) in writes {
                let (offset, length) = (u64::try_from(offset).unwrap(), length);
                match deed {
                    0 => {
                        disk.sync_data().unwrap();
                        saved.clone_from(&disk.platter().live);
                    }
                    1..4 => disk.set_len(offset).unwrap(),
                    // Beyond the end it is refused.
                    _ => drop(disk.write(offset, &vec![byte; length])),
                }
            }
            disk.lose_power();
            prop_assert_eq!(&disk.platter().live, &saved);
        }
    }

    #[test]
    fn a_killed_process_leaves_its_writes_to_the_operating_system() {
        let disk = SimDisk::default();
        disk.set_len(2).unwrap();
        disk.write(0, b"ab").unwrap();
        disk.kill();
        assert!(disk.write(0, b"xx").is_err());
        disk.revive();
        assert_eq!(read(&disk, 2), b"ab");
    }

    #[test]
    fn what_a_lying_disk_has_synced_is_lost_with_the_power_and_kept_without() {
        for power_fails in [true, false] {
            let disk = SimDisk::default();
            disk.set_len(2).unwrap();
            disk.sync_data().unwrap();
            disk.lie();
            disk.write(0, b"ab").unwrap();
            disk.sync_data().unwrap();
            if power_fails {
                disk.lose_power();
                disk.revive();
            }
            disk.be_honest();
            disk.lose_power();
            disk.revive();
            let expected = if power_fails { b"\0\0" } else { b"ab" };
            assert_eq!(read(&disk, 2), expected);
        }
    }

    #[test]
    fn a_failing_disk_keeps_what_it_has() {
        let disk = SimDisk::default();
        disk.set_len(2).unwrap();
        disk.write(0, b"ab").unwrap();
        disk.fail(DiskFailure::Full);
        let full = disk.write(0, b"xx").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert_eq!(read(&disk, 2), b"ab");
        assert!(disk.mend(DiskFailure::Full));
        disk.fail(DiskFailure::Io);
        disk.fail(DiskFailure::Full);
        assert!(disk.sync_data().is_err() && disk.read(0, &mut [0]).is_err());
        assert!(!disk.mend(DiskFailure::Io) && disk.write(0, b"xx").is_err());
        assert!(disk.mend(DiskFailure::Full));
        assert_eq!(read(&disk, 2), b"ab");
    }
}
