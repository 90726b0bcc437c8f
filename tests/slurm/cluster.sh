#!/usr/bin/env bash
# A real Slurm on this one machine, thrown away after the tests.
#   cluster.sh start DIR | stop DIR          (root; Debian packages slurm-wlm and munge)
# CPUS=n pretends to n processors, so that several jobs run at once on a small machine.
set -euo pipefail
command=$1
dir=$(realpath -m "$2")
host=$(hostname -s)

write_config() {
    local memory
    memory=$(awk '/MemTotal/ {print int($2 / 1024) - 512}' /proc/meminfo)
    cat >"$dir/slurm.conf" <<END
ClusterName=throwaway
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$dir/munge/sock
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
ReturnToService=2
SlurmdParameters=config_overrides
MinJobAge=3600
KillWait=5
NodeName=$host NodeAddr=127.0.0.1 CPUs=${CPUS:-$(nproc)} RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
}

start() {
    if [ -e /etc/slurm/slurm.conf ] && [ ! -L /etc/slurm/slurm.conf ]; then
        echo "this machine has a Slurm of its own (/etc/slurm/slurm.conf); not touching it" >&2
        exit 1
    fi
    mkdir -p "$dir"/{state,spool,log,munge} /etc/slurm
    chmod 755 "$dir" "$dir/munge"
    (umask 077 && head -c1024 /dev/urandom >"$dir/munge/key")
    munged --force --key-file="$dir/munge/key" --socket="$dir/munge/sock" --pid-file="$dir/munged.pid" \
        --log-file="$dir/log/munged.log" --seed-file="$dir/munge/seed"
    write_config
    # Job steps drop SLURM_CONF from their environment, so the file has to be where Slurm looks by itself.
    ln -sfn "$dir/slurm.conf" /etc/slurm/slurm.conf
    slurmctld -c
    slurmd
    for _ in $(seq 200); do
        sinfo --noheader --format %T 2>/dev/null | grep -q idle && return
        sleep 0.1
    done
    echo "Slurm did not come up; see $dir/log" >&2
    exit 1
}

stop() {
    for daemon in slurmd slurmctld munged; do
        if [ -f "$dir/$daemon.pid" ]; then kill "$(cat "$dir/$daemon.pid")" 2>/dev/null || true; fi
    done
    if [ "$(readlink /etc/slurm/slurm.conf)" = "$dir/slurm.conf" ]; then rm -f /etc/slurm/slurm.conf; fi
}

"$command"
