#!/usr/bin/env bash
# A real Slurm on this one machine, thrown away after the tests.
#   [options] cluster.sh start DIR | stop DIR | packages | install
# Root; `packages` lists those of Debian that it needs, `install` installs those that are missing, where that is possible.
# Options are environment variables:
#   CPUS=4                  processors that the node pretends to have, so that several jobs run on a small machine
#   MEMORY=64000            MB that it pretends to have: jobs ask for more than they need, and nothing holds them to it
#   PARTITIONS="main"       names of partitions, all of the same node; the first is the default one
#   GPU=0                   GPUs that the node pretends to have: jobs can ask for them, there is nothing behind them
#   ACCT=0                  1: accounting, with slurmdbd and MariaDB
#   WAIT=0                  seconds to wait for another throw-away cluster to end: there can be one at a time
#   SLURM_CONF_LINES=""     further lines of slurm.conf
set -euo pipefail
link=/etc/slurm/slurm.conf # where every Slurm command looks; job steps drop SLURM_CONF from their environment
host=$(hostname -s)
ACCT=${ACCT:-0} GPU=${GPU:-0} PARTITIONS=${PARTITIONS:-main}

packages() { echo slurm-wlm munge slurmdbd mariadb-server; }

install() {
    local policy=/usr/sbin/policy-rc.d missing=""
    for package in $(packages); do
        dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
    done
    if [ -z "$missing" ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then return; fi
    if [ ! -e $policy ]; then # the services of these packages are not to be started
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
        trap "rm -f $policy" EXIT
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

alive() { # pid; a process that nobody has waited for is dead all the same
    grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status"
}

gone() { ! alive "$1"; }

running() { # pid file
    [ -s "$1" ] && alive "$(cat "$1")"
}

until_true() { # seconds, command that is to succeed
    local tenths=$(($1 * 10))
    shift
    while ! "$@" >/dev/null 2>&1; do
        [ $((tenths -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
}

claim() { # the one place where Slurm looks for its configuration, or fail if somebody else has it
    local other
    mkdir -p /etc/slurm
    if [ -e "$link" ] && [ ! -L "$link" ]; then return 2; fi
    if other=$(readlink "$link"); then
        if running "$(dirname "$other")/slurmctld.pid" || running "$(dirname "$other")/starting.pid"; then return 1; fi
        rm -f "$link" # left by a cluster that is gone
    fi
    ln -s "$dir/slurm.conf" "$link" 2>/dev/null
}

write_config() {
    local partition i default=YES
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
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
ReturnToService=2
SlurmdParameters=config_overrides
MinJobAge=3600
KillWait=5
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=${CPUS:-$(nproc)} RealMemory=${MEMORY:-64000} Gres=gpu:$GPU State=UNKNOWN
END
    for partition in $PARTITIONS; do
        echo "PartitionName=$partition Nodes=$host Default=$default MaxTime=INFINITE State=UP"
        default=NO
    done >>"$dir/slurm.conf"
    for ((i = 0; i < GPU; i++)); do # Slurm counts files
        : >"$dir/gpu$i"
        echo "Name=gpu File=$dir/gpu$i"
    done >"$dir/gres.conf"
    ln -sfn "$dir/gres.conf" "$(dirname "$link")/gres.conf"
    if [ "$ACCT" = 1 ]; then
        # The password of the storage is the socket of munge; without it every start stalls for five minutes.
        cat <<END
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=16819
AccountingStoragePass=$dir/munge/sock
AccountingStorageTRES=gres/gpu
JobAcctGatherType=jobacct_gather/linux
END
    else
        echo "AccountingStorageType=accounting_storage/none"
    fi >>"$dir/slurm.conf"
    echo "${SLURM_CONF_LINES:-}" >>"$dir/slurm.conf"
}

start_accounting() {
    local sql="mariadb --no-defaults -uroot -S $dir/db.sock"
    mariadb-install-db --no-defaults --user=root --datadir="$dir/db" --skip-test-db \
        --auth-root-authentication-method=normal >"$dir/log/mariadb_install.log" 2>&1
    mariadbd --no-defaults --user=root --datadir="$dir/db" --socket="$dir/db.sock" --pid-file="$dir/mariadbd.pid" \
        --bind-address=127.0.0.1 --port=16806 --innodb-buffer-pool-size=128M --innodb-flush-log-at-trx-commit=0 \
        >"$dir/log/mariadbd.log" 2>&1 &
    until_true 60 mariadb-admin --no-defaults -uroot -S "$dir/db.sock" ping
    for from in localhost 127.0.0.1; do
        $sql -e "create user slurm@'$from' identified by 'x'; grant all on slurm_acct_db.* to slurm@'$from';"
    done
    (umask 077 && cat >"$dir/slurmdbd.conf") <<END
AuthType=auth/munge
AuthInfo=$dir/munge/sock
DbdHost=$host
DbdAddr=127.0.0.1
DbdPort=16819
SlurmUser=root
LogFile=$dir/log/slurmdbd.log
PidFile=$dir/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=16806
StorageUser=slurm
StoragePass=x
StorageLoc=slurm_acct_db
END
    ln -sfn "$dir/slurmdbd.conf" "$(dirname "$link")/slurmdbd.conf"
    slurmdbd
    until_true 60 sacctmgr -n show cluster
    sacctmgr -i add cluster throwaway >/dev/null
    sacctmgr -i add account tests >/dev/null
    sacctmgr -i add user root account=tests >/dev/null
}

start() {
    local waited=0 outcome
    mkdir -p "$dir"/{state,spool,log,munge}
    chmod 755 "$dir" "$dir/munge" # the daemons refuse folders that others could not enter
    echo $$ >"$dir/starting.pid"
    while true; do
        outcome=0
        claim || outcome=$?
        [ $outcome != 0 ] || break
        if [ $outcome = 2 ]; then
            echo "this machine has a Slurm of its own ($link); not touching it" >&2
            exit 1
        fi
        if [ $((waited += 1)) -gt "${WAIT:-0}" ]; then
            echo "another throw-away cluster is running ($(readlink "$link")); stop it first" >&2
            exit 1
        fi
        sleep 1
    done
    (umask 077 && head -c1024 /dev/urandom >"$dir/munge/key")
    munged --force --key-file="$dir/munge/key" --socket="$dir/munge/sock" --pid-file="$dir/munged.pid" \
        --log-file="$dir/log/munged.log" --seed-file="$dir/munge/seed"
    write_config
    if [ "$ACCT" = 1 ]; then start_accounting; fi
    slurmctld -c
    slurmd
    rm "$dir/starting.pid"
    if until_true 20 sh -c 'sinfo --noheader --format %T | grep -q idle'; then return; fi
    echo "Slurm did not come up; see $dir/log" >&2
    stop
    exit 1
}

stop() {
    local daemon pid name
    if running "$dir/slurmctld.pid" && running "$dir/slurmd.pid"; then
        timeout 5 scancel --quiet --user root || true
        until_true 10 sh -c '[ -z "$(squeue --noheader --states RUNNING,COMPLETING)" ]' || true
    fi
    for daemon in slurmd slurmctld slurmdbd mariadbd munged; do
        if running "$dir/$daemon.pid"; then
            pid=$(cat "$dir/$daemon.pid")
            kill "$pid" || true
            until_true 20 gone "$pid" || kill -KILL "$pid" || true
        fi
        rm -f "$dir/$daemon.pid"
    done
    for name in slurm gres slurmdbd; do
        if [ "$(readlink "/etc/slurm/$name.conf")" = "$dir/$name.conf" ]; then rm -f "/etc/slurm/$name.conf"; fi
    done
}

case $1 in
    start | stop) dir=$(realpath -m "$2") ;;
    packages | install) ;;
    *) sed -n '2,12p' "$0" >&2 && exit 1 ;;
esac
"$1"
