//go:build unix

// Package slurm runs a Slurm cluster of several nodes on this machine, for tests.
package slurm

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Nodes is how many nodes a cluster has: n1, n2 and so on, with 32 processors each, as far as Slurm
// knows.
const Nodes = 4

const config = `
ClusterName=execnet
SlurmctldHost=%[1]s(127.0.0.1)
SlurmctldPort=%[2]d
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=%[3]s/munge.socket
StateSaveLocation=%[3]s/state
SlurmdSpoolDir=%[3]s/%%n
SlurmctldPidFile=%[3]s/slurmctld.pid
SlurmdPidFile=%[3]s/%%n.pid
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
NodeName=n[1-%[4]d] NodeHostname=%[1]s NodeAddr=127.0.0.1 Port=[%[5]d-%[6]d] CPUs=32 RealMemory=1000
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=2
`

// Cluster is a running cluster. Jobs of its partition "urgent" take the place of others.
type Cluster struct {
	nodes []*exec.Cmd // slurmd for each
}

// FreezeNode stops the slurmd of a node: 1 for n1, and so on. What runs there runs on.
func (c *Cluster) FreezeNode(t testing.TB, node int) { c.signal(t, node, syscall.SIGSTOP) }

// ThawNode has the slurmd of a node go on, and waits until Slurm has ended what runs there.
func (c *Cluster) ThawNode(t testing.TB, node int) {
	t.Helper()
	c.signal(t, node, syscall.SIGCONT)
	name := fmt.Sprintf("n%d", node)
	await(t, "", "squeue", "--noheader", "--nodelist="+name)
	// It fails if the node is back in service already: Slurm does that as soon as a node answers.
	_ = exec.Command("scontrol", "update", "nodename="+name, "state=resume").Run()
	await(t, "idle", "sinfo", "--noheader", "--partition=all", "--nodes="+name, "--format=%T")
}

func (c *Cluster) signal(t testing.TB, node int, signal syscall.Signal) {
	t.Helper()
	if err := c.nodes[node-1].Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// await waits until a command prints this.
func await(t testing.TB, want string, argv ...string) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
		if err == nil && strings.TrimSpace(string(out)) == want {
			return
		}
		if time.Since(begin) > 2*time.Minute {
			t.Fatalf("%s does not say %q: %v\n%s", argv[0], want, err, out)
		}
	}
}

// Start starts a cluster, which ends with the test, and lets Slurm's commands of this process and
// its children find it. It needs root, and the programs of the Debian packages slurm-wlm and munge.
func Start(t testing.TB) *Cluster {
	t.Helper()
	// Not t.TempDir: the path of a socket may have a hundred characters only.
	dir, err := os.MkdirTemp("", "slurm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	// The ports of the nodes must follow one another.
	first := freePorts(t, Nodes+1)
	conf := filepath.Join(dir, "slurm.conf")
	write(t, conf, fmt.Sprintf(config, host, first, dir, Nodes, first+1, first+Nodes))
	write(t, filepath.Join(dir, "munge.key"), rand.Text()+rand.Text())
	for i := range Nodes {
		mkdir(t, filepath.Join(dir, fmt.Sprintf("n%d", i+1)))
	}
	mkdir(t, filepath.Join(dir, "state"))
	t.Setenv("SLURM_CONF", conf)
	in := func(name string) string { return filepath.Join(dir, name) }
	daemon(t, in("munged.log"), "munged", "--foreground", "--force", "--key-file="+in("munge.key"), "--socket="+in("munge.socket"),
		"--pid-file="+in("munged.pid"), "--seed-file="+in("munge.seed"), "--log-file="+in("munge.log"))
	daemon(t, in("slurmctld.log"), "slurmctld", "-D", "-c")
	c := new(Cluster)
	for i := range Nodes {
		c.nodes = append(c.nodes, daemon(t, in(fmt.Sprintf("slurmd%d.log", i+1)), "slurmd", "-D", "-N", fmt.Sprintf("n%d", i+1)))
	}
	await(t, fmt.Sprintf("%d idle", Nodes), "sinfo", "--noheader", "--partition=all", "--format=%D %T")
	return c
}

// Run runs one of Slurm's commands and returns what it prints.
func Run(t testing.TB, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// daemon runs a program until the test ends, and shows its log if the test has failed.
func daemon(t testing.TB, log, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = "/usr/sbin/" + name // which may be missing in the PATH of a user
	}
	cmd := exec.Command(path, args...)
	file, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v: install the packages that .ci/needs-platforms names", name, err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		killer := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // it says that a signal has ended it
		killer.Stop()
		if t.Failed() {
			text, _ := os.ReadFile(log)
			t.Logf("%s:\n%s", name, text[max(0, len(text)-2000):])
		}
	})
	return cmd
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t testing.TB, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

// freePorts returns the first of n ports in a row that are free.
func freePorts(t testing.TB, n int) int {
	t.Helper()
	for range 100 {
		first := 0
		var listeners []net.Listener
		for len(listeners) < n {
			port := 0
			if first > 0 {
				port = first + len(listeners)
			}
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				break
			}
			listeners = append(listeners, l)
			if first == 0 {
				first = l.Addr().(*net.TCPAddr).Port
			}
		}
		for _, l := range listeners {
			l.Close()
		}
		if len(listeners) == n {
			return first
		}
	}
	t.Fatal("there are no free ports in a row")
	return 0
}
