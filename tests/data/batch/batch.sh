#!/bin/sh
# A batch system on one machine, with the commands and the output of Slurm:
#   batch.sh STATE sbatch SCRIPT ARGUMENTS...   prints the number of the job; its output goes to slurm-NUMBER.out in the current folder
#   batch.sh STATE squeue                       prints the numbers of the jobs that run, one in each line
#   batch.sh STATE scancel NUMBER
# STATE: a folder. STATE/limit, if it is there, has the largest number of jobs; with STATE/down all commands fail.
state=$1 command=$2
shift 2
mkdir -p "$state"
if [ -e "$state/down" ]; then
  echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2
  exit 1
fi
running() { ls "$state" | sed -n 's/^running\.//p'; }
case $command in
  sbatch)
    if [ -e "$state/limit" ] && [ "$(running | wc -l)" -ge "$(cat "$state/limit")" ]; then
      echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2
      exit 1
    fi
    number=$(($(cat "$state/count" 2>/dev/null || echo 4000) + 1))
    echo "$number" >"$state/count"
    : >"$state/running.$number"
    # In a session of its own: the group of this process ends with it.
    setsid sh -c 'number=$1 state=$2; shift 2; echo $$ >"$state/process.$number"; sh "$@" >"slurm-$number.out" 2>&1; rm -f "$state/running.$number"' \
      job "$number" "$state" "$@" </dev/null >/dev/null 2>&1 &
    while [ ! -s "$state/process.$number" ]; do sleep 0.01; done
    echo "Submitted batch job $number"
    ;;
  squeue) running ;;
  scancel)
    process=$(cat "$state/process.$1")
    kill -KILL -- "-$process"
    rm -f "$state/running.$1"
    ;;
esac
