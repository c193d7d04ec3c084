// Package kubernetes has an API server with pods, for tests of kubectl= with the real command. What
// runs in the pods are processes of this machine. It is a module of its own, because kubectl
// requires many others.
package kubernetes

import (
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream/wsstream"

	"github.com/go-execnet/execnet/internal/testsupport/containers"
)

// Cluster is an API server. It has these pods, in the namespaces "default" and "shop":
//
//   - "box", with the containers "box", "bare" and "slim" that package containers describes
//   - "done", which has ended, and "new", which has not started yet
//   - "secret", where the user may run nothing, and "hidden", which the user may not even see
//
// and the deployment "web", to which "box" belongs.
type Cluster struct {
	server *httptest.Server
	token  string
	mark   string            // is in the environment of what runs in the pods
	paths  map[string]string // by the names of containers
	home   string

	serving sync.WaitGroup // exec requests

	mu    sync.Mutex // guards the fields below
	execs []Exec
	conns []net.Conn // of exec requests
}

// Exec is a command that was started in a pod.
type Exec struct {
	Namespace, Pod, Container string
	Argv                      []string
}

// InstallKubectl builds kubectl and puts it on PATH until the test ends.
func InstallKubectl(t *testing.T) {
	t.Helper()
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin, "github.com/go-execnet/execnet/internal/testsupport/kubernetes/kubectl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build.Args, err, out)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("KUBECACHEDIR", t.TempDir())
	t.Setenv("KUBERC", "off")
	// What the server's half of the protocol logs when clients go away would hide what tests say.
	klog.SetLogger(logr.Discard())
}

// Start starts an API server that ends with the test, with whatever runs in its pods, and sets
// KUBECONFIG. Beside the default context, "here", that file has "stranger", a user whom the server
// does not know, and "nowhere", where no server listens.
func Start(t *testing.T) *Cluster {
	t.Helper()
	c := &Cluster{token: rand.Text(), mark: "EXECNET_TEST_POD=" + rand.Text(), paths: containers.Paths(t), home: t.TempDir()}
	mux := http.NewServeMux()
	for path, answer := range discovery {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { reply(w, http.StatusOK, answer) })
	}
	const inNamespace = "/api/v1/namespaces/{namespace}"
	mux.HandleFunc("GET "+inNamespace+"/pods", c.list)
	mux.HandleFunc("GET "+inNamespace+"/pods/{name}", func(w http.ResponseWriter, r *http.Request) {
		if pod := findPod(w, r); pod != nil {
			reply(w, http.StatusOK, pod)
		}
	})
	mux.HandleFunc("GET /apis/apps/v1/namespaces/{namespace}/deployments/{name}", deployment)
	mux.HandleFunc(inNamespace+"/pods/{name}/exec", c.exec) // GET for WebSocket, POST for SPDY
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, apierrors.NewGenericServerResponse(http.StatusNotFound, r.Method, schema.GroupResource{}, "", "", 0, false))
	})
	c.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+c.token {
			fail(w, apierrors.NewUnauthorized("Unauthorized"))
			return
		}
		mux.ServeHTTP(w, r)
	}))
	c.server.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateHijacked {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.conns = append(c.conns, conn)
		}
	}
	c.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.server.StartTLS()
	t.Cleanup(func() {
		c.Cut()
		c.killAll()
		c.serving.Wait()
	})
	c.writeConfig(t)
	return c
}

// Execs returns the commands that were started in pods since the last call.
func (c *Cluster) Execs() []Exec {
	c.mu.Lock()
	defer c.mu.Unlock()
	execs := c.execs
	c.execs = nil
	return execs
}

// Cut ends the server: it resets all connections, and listens no more. What runs in the pods goes
// on.
func (c *Cluster) Cut() {
	c.server.CloseClientConnections()
	c.server.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		if tls, ok := conn.(interface{ NetConn() net.Conn }); ok {
			conn = tls.NetConn()
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
	c.conns = nil
}

// writeConfig writes the file for kubectl.
func (c *Cluster) writeConfig(t *testing.T) {
	t.Helper()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	config := api.Config{
		CurrentContext: "here",
		Clusters: map[string]*api.Cluster{
			"here":    {Server: c.server.URL, CertificateAuthorityData: authority},
			"nowhere": {Server: "https://" + listener.Addr().String()},
		},
		AuthInfos: map[string]*api.AuthInfo{"tester": {Token: c.token}, "stranger": {Token: rand.Text()}},
		Contexts: map[string]*api.Context{
			"here":     {Cluster: "here", AuthInfo: "tester"},
			"stranger": {Cluster: "here", AuthInfo: "stranger"},
			"nowhere":  {Cluster: "nowhere", AuthInfo: "tester"},
		},
	}
	path := filepath.Join(t.TempDir(), "config")
	if err := clientcmd.WriteToFile(config, path); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
}

// discovery are the answers to what kubectl asks about the server, by path.
var discovery = map[string]any{
	"/api": metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}},
	"/apis": metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}, Groups: []metav1.APIGroup{{
		Name: "apps", Versions: []metav1.GroupVersionForDiscovery{{GroupVersion: "apps/v1", Version: "v1"}},
	}}},
	"/api/v1": resources("v1", metav1.APIResource{Name: "pods", Kind: "Pod", ShortNames: []string{"po"}},
		metav1.APIResource{Name: "pods/exec", Kind: "PodExecOptions"}),
	"/apis/apps/v1": resources("apps/v1", metav1.APIResource{Name: "deployments", Kind: "Deployment", ShortNames: []string{"deploy"}}),
}

func resources(version string, all ...metav1.APIResource) metav1.APIResourceList {
	for i := range all {
		all[i].Namespaced = true
		all[i].Verbs = metav1.Verbs{"get", "list", "create"}
	}
	return metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: version, APIResources: all}
}

// labels are those of the deployment's pods.
var labels = map[string]string{"app": "web"}

// phases are the pods that there are, and how far they are.
var phases = map[string]corev1.PodPhase{
	"box": corev1.PodRunning, "done": corev1.PodSucceeded, "new": corev1.PodPending,
	"secret": corev1.PodRunning, "hidden": corev1.PodRunning,
}

// findPod returns the pod that a request names. It answers the request if there is none.
func findPod(w http.ResponseWriter, r *http.Request) *corev1.Pod {
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	phase, ok := phases[name]
	if !ok || namespace != "default" && namespace != "shop" {
		fail(w, apierrors.NewNotFound(corev1.Resource("pods"), name))
		return nil
	}
	if name == "hidden" {
		forbid(w, r, "get", "pods")
		return nil
	}
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Status:     corev1.PodStatus{Phase: phase},
	}
	for _, container := range []string{"box", "bare", "slim"} {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: container})
	}
	if name == "box" {
		pod.Labels = labels
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	return pod
}

// list answers with the pods of the deployment, for which alone kubectl asks.
func (c *Cluster) list(w http.ResponseWriter, r *http.Request) {
	r.SetPathValue("name", "box")
	if pod := findPod(w, r); pod != nil {
		reply(w, http.StatusOK, corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: []corev1.Pod{*pod}})
	}
}

func deployment(w http.ResponseWriter, r *http.Request) {
	if name := r.PathValue("name"); name != "web" {
		fail(w, apierrors.NewNotFound(appsv1.Resource("deployments"), name))
		return
	}
	reply(w, http.StatusOK, appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{Kind: "Deployment", APIVersion: "apps/v1"},
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: r.PathValue("namespace")},
		Spec:       appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}},
	})
}

// reply answers a request with an object.
func reply(w http.ResponseWriter, code int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object) // whoever asked may be gone
}

// fail answers a request with an error, in the words of Kubernetes.
func fail(w http.ResponseWriter, err *apierrors.StatusError) {
	status := err.ErrStatus
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	reply(w, int(status.Code), status)
}

func forbid(w http.ResponseWriter, r *http.Request, verb, resource string) {
	fail(w, apierrors.NewForbidden(corev1.Resource("pods"), r.PathValue("name"),
		fmt.Errorf(`User "tester" cannot %s resource %q in API group "" in the namespace %q`, verb, resource, r.PathValue("namespace"))))
}

// exec runs a command in a container, by version 5 of the protocol alone. Kubernetes' own code
// (wsstream) is its half of the protocol.
func (c *Cluster) exec(w http.ResponseWriter, r *http.Request) {
	c.serving.Add(1)
	defer c.serving.Done()
	pod := findPod(w, r)
	if pod == nil {
		return
	}
	query := r.URL.Query()
	run := Exec{pod.Namespace, pod.Name, query.Get("container"), query["command"]}
	switch {
	case pod.Name == "secret":
		forbid(w, r, "create", "pods/exec")
		return
	case c.paths[run.Container] == "":
		fail(w, apierrors.NewBadRequest(fmt.Sprintf("container %s is not valid for pod %s", run.Container, pod.Name)))
		return
	case !wsstream.IsWebSocketRequestWithStreamCloseProtocol(r):
		fail(w, apierrors.NewBadRequest("this server speaks only version 5 of the protocol, over WebSocket"))
		return
	}
	conn := wsstream.NewConn(map[string]wsstream.ChannelProtocolConfig{"v5.channel.k8s.io": {Binary: true, Channels: []wsstream.ChannelType{
		wsstream.ReadChannel, wsstream.WriteChannel, wsstream.WriteChannel, wsstream.WriteChannel, wsstream.ReadChannel,
	}}})
	_, streams, err := conn.Open(w, r)
	if err != nil {
		return // the client has gone, or has not done what the protocol says
	}
	c.mu.Lock()
	c.execs = append(c.execs, run)
	c.mu.Unlock()
	defer conn.Close()
	_, _ = streams[1].Write(nil) // as Kubernetes does, to tell that it is connected
	end := apierrors.NewInternalError(fmt.Errorf("unable to upgrade connection: container not found (%q)", run.Container)).ErrStatus
	if pod.Status.Phase == corev1.PodRunning {
		var stdin io.Reader
		if query.Get("stdin") == "true" {
			stdin = streams[0]
		}
		end = c.run(run, stdin, streams[1], streams[2])
	}
	status, err := json.Marshal(end)
	if err == nil {
		_, _ = streams[3].Write(status) // if the client is still there
	}
}

// Processes are the command lines of what runs in the pods.
func (c *Cluster) Processes() (all []string) {
	for _, pid := range c.pids() {
		if line, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline")); err == nil && len(line) > 0 {
			all = append(all, strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " ")))
		}
	}
	return all
}

// pids are the processes with the mark in their environment, but not zombies, which have none.
func (c *Cluster) pids() (all []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		environment, err := os.ReadFile(file)
		if err == nil && slices.Contains(strings.Split(string(environment), "\x00"), c.mark) {
			all = append(all, filepath.Base(filepath.Dir(file)))
		}
	}
	return all
}
