// Package deploy_test checks the manifests as kustomize builds them.
package deploy_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/config"
)

// pending are the settings that the manifests use ahead of the program. The test says when it has one of them.
var pending []string

// build returns the manifests that make deploy-check has built: base or example.
func build(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("CVMGRAPH_TEST_DEPLOY")
	if dir == "" {
		t.Skip("skipped without built manifests: make deploy-check builds them and runs this test")
	}
	content, err := os.ReadFile(filepath.Join(dir, name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestManifests(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"base", "example"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, problem := range problems(build(t, name)) {
				t.Error(problem)
			}
		})
	}
}

// What the checks are for, they find.
func TestAFaultIsFound(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ old, broken, want string }{
		"a root user":                     {"runAsNonRoot: true", "runAsNonRoot: false", "must not run as root"},
		"user 0":                          {"runAsUser: 65532", "runAsUser: 0", "must not run as root"},
		"a writable root":                 {"readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "read-only"},
		"escalation":                      {"allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "privileges"},
		"a capability":                    {"drop:", "add: [NET_RAW]\n            drop:", "capabilities"},
		"no seccomp profile":              {"type: RuntimeDefault", "type: Unconfined", "seccomp"},
		"a token of the cluster's API":    {"automountServiceAccountToken: false", "automountServiceAccountToken: true", "token"},
		"variables of services":           {"enableServiceLinks: false", "enableServiceLinks: true", "variables of services"},
		"no memory limit":                 {"memory: 384Mi", "{}: {}", "memory"},
		"a limit below the cache":         {"CVMGRAPH_CACHE_BYTES: 64MiB", "CVMGRAPH_CACHE_BYTES: 256MiB", "no room"},
		"a limit of Go's beside it":       {"env:", "env:\n        - name: GOMEMLIMIT\n          value: 300MiB", "GOMEMLIMIT"},
		"liveness that asks for ready":    {"path: /healthz", "path: /readyz", "livenessProbe"},
		"a probe of another port":         {"port: http\n          periodSeconds: 10", "port: admin\n          periodSeconds: 10", "livenessProbe"},
		"a port that is not listened on":  {"containerPort: 8080", "containerPort: 8081", "--listen"},
		"a flag that does not exist":      {"--listen=:8080", "--listens=:8080", "listens"},
		"a variable that does not exist":  {"CVMGRAPH_LOG_FORMAT", "CVMGRAPH_LOG_FORMATS", "log-formats"},
		"a value that is refused":         {"CVMGRAPH_LOG_FORMAT: json", "CVMGRAPH_LOG_FORMAT: yaml", "--log-format"},
		"a drain that is cut off":         {"terminationGracePeriodSeconds: 50", "terminationGracePeriodSeconds: 30", "drain"},
		"a longer request":                {"CVMGRAPH_REQUEST_TIMEOUT: 30s", "CVMGRAPH_REQUEST_TIMEOUT: 60s", "drain"},
		"a port that closes at once":      {"CVMGRAPH_DRAIN_DELAY: 10s", "CVMGRAPH_DRAIN_DELAY: 1s", "--drain-delay"},
		"a budget that blocks each drain": {"minAvailable: 2", "minAvailable: 3", "PodDisruptionBudget"},
		"a policy for no pod": {
			"podSelector:\n    matchLabels:\n      app.kubernetes.io/name: cvmgraph\n  policyTypes:\n  - Ingress",
			"podSelector:\n    matchLabels:\n      app.kubernetes.io/name: other\n  policyTypes:\n  - Ingress", "NetworkPolicy",
		},
		"an admin port for all":      {"kubernetes.io/metadata.name: monitoring", "", "admin port"},
		"the cloud's metadata":       {"- 169.254.0.0/16", "- 169.254.1.0/24", "169.254.0.0/16"},
		"an image of a registry":     {"image: cvmgraph", "image: registry.example.org/cvmgraph", "registry"},
		"a secret that may be left":  {"key: shared-key", "key: shared-key\n              optional: true", "optional"},
		"a secret that nobody makes": {"kind: Secret", "kind: ServiceAccount", "no Secret"},
		"a key in a plain text":      {"CVMGRAPH_LOG_FORMAT: json", "CVMGRAPH_SHARED_KEY: abc", "plain text"},
		"a service without pods":     {"targetPort: http", "targetPort: https", "Service"},
		"a fixed number of replicas": {"spec:\n  revisionHistoryLimit", "spec:\n  replicas: 3\n  revisionHistoryLimit", "replicas"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			built := build(t, "example")
			broken := strings.ReplaceAll(built, tt.old, tt.broken)
			if broken == built {
				t.Fatalf("the example has no %q", tt.old)
			}
			found := problems(broken)
			if !slices.ContainsFunc(found, func(p string) bool { return strings.Contains(p, tt.want) }) {
				t.Errorf("got the problems %q, want one with %q", found, tt.want)
			}
		})
	}
}

func TestPendingSettingsAreStillPending(t *testing.T) {
	t.Parallel()
	built := build(t, "base") + build(t, "example")
	have := settings(t)
	for _, name := range pending {
		if have[name] {
			t.Errorf("the program has --%s by now: take it off the list of this test", name)
		}
		if !strings.Contains(built, "--"+name) && !strings.Contains(built, variableOf(name)) {
			t.Errorf("no manifest uses --%s: take it off the list of this test", name)
		}
	}
}

// What is committed holds no key, and what kustomize builds of it without one is no Secret.
func TestNoKeyIsCommitted(t *testing.T) {
	t.Parallel()
	key := regexp.MustCompile(`[A-Za-z0-9+/_-]{42,}=`)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) == ".env" {
			return err
		}
		content, err := os.ReadFile(path)
		if key.Match(content) || filepath.Ext(path) == ".yaml" && bytes.Contains(content, []byte("kind: Secret")) {
			t.Errorf("%s: holds a key, or makes a Secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// settings returns the names of all flags of the program.
func settings(t *testing.T) map[string]bool {
	t.Helper()
	names, err := flags()
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func flags() (map[string]bool, error) {
	var help bytes.Buffer
	if _, err := config.Parse([]string{"--help"}, nil, &help); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`).FindAllStringSubmatch(help.String(), -1) {
		names[match[1]] = true
	}
	return names, nil
}

func variableOf(flag string) string {
	return "CVMGRAPH_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// report collects what is wrong.
type report struct {
	cluster
	found []string
}

func (r *report) addf(format string, args ...any) {
	r.found = append(r.found, fmt.Sprintf(format, args...))
}

// problems returns what is wrong with a build, one a line.
func problems(built string) []string {
	c, err := read(built)
	if err != nil {
		return []string{err.Error()}
	}
	r := &report{cluster: c}
	for _, w := range c.workloads {
		r.workload(w)
	}
	r.services()
	r.budgets()
	r.policies()
	r.secrecy()
	if len(c.workloads) == 0 || c.workloads[0].Metadata.Name != "cvmgraph" {
		r.addf("want the Deployment cvmgraph, the first")
	} else {
		r.gateway(c.workloads[0])
	}
	return r.found
}

// workload checks what holds for every pod.
func (r *report) workload(w workload) {
	name, p := w.Metadata.Name, w.Spec.Template.Spec
	if !w.Spec.Selector.MatchLabels.selects(w.Spec.Template.Metadata.Labels) || len(w.Spec.Selector.MatchLabels) == 0 {
		r.addf("%s: does not select its own pods", name)
	}
	if !p.SecurityContext.RunAsNonRoot || p.SecurityContext.RunAsUser == 0 {
		r.addf("%s: must not run as root", name)
	}
	if p.SecurityContext.SeccompProfile.Type != "RuntimeDefault" {
		r.addf("%s: the seccomp profile must be the runtime's", name)
	}
	if p.Automount == nil || *p.Automount || p.HostNetwork || p.HostPID || p.HostIPC || len(p.Volumes) > 0 {
		r.addf("%s: must have no token of the cluster's API, nothing of its host and no volumes", name)
	}
	if p.ServiceLinks == nil || *p.ServiceLinks {
		r.addf("%s: must not have variables of services", name)
	}
	for _, c := range append(p.InitContainers, p.Containers...) {
		r.container(name+"/"+c.Name, c)
	}
}

func (r *report) container(name string, c container) {
	s := c.Security
	if s.RunAsUser != nil || s.RunAsNonRoot != nil {
		r.addf("%s: the pod says who runs, and must not run as root", name)
	}
	if !s.ReadOnly {
		r.addf("%s: the root filesystem must be read-only", name)
	}
	if s.Escalation == nil || *s.Escalation || s.Privileged {
		r.addf("%s: must not gain privileges", name)
	}
	if !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) || len(s.Capabilities.Add) > 0 {
		r.addf("%s: must drop all capabilities", name)
	}
	for _, resource := range []string{"cpu", "memory"} {
		if c.Resources.Limits[resource] == "" || c.Resources.Requests[resource] == "" {
			r.addf("%s: no request or limit of %s", name, resource)
		}
	}
	// The first part of an image is a registry where it has a dot or a port.
	if first, _, isPath := strings.Cut(c.Image, "/"); c.Image == "" || isPath && (strings.ContainsAny(first, ".:") || first == "localhost") {
		r.addf("%s: the image %s must not name a registry", name, c.Image)
	}
	for probed, p := range map[string]probe{"startupProbe": c.StartupProbe, "livenessProbe": c.LivenessProbe, "readinessProbe": c.ReadinessProbe} {
		asked := p.HTTPGet.Port
		if asked == nil {
			asked = p.TCPSocket.Port
		}
		if asked == nil || c.port(asked) == "" {
			r.addf("%s: %s: asks no port of the container", name, probed)
		}
	}
}

// gateway checks what holds for cvmgraph's own pod.
func (r *report) gateway(w workload) {
	p := w.Spec.Template.Spec
	c := p.Containers[0]
	given, environ := r.environment(c)
	args := slices.Clone(c.Args)
	for _, arg := range args {
		if name, value, isFlag := strings.Cut(strings.TrimPrefix(arg, "--"), "="); isFlag {
			given[name] = value
		}
	}
	r.known(given, args, environ)
	for flag, port := range map[string]string{"listen": "http", "admin-listen": "admin"} {
		if c.port(port) == "" || given[flag] != ":"+c.port(port) {
			r.addf("--%s is %q, want the container's port %s", flag, given[flag], port)
		}
	}
	for probed, want := range map[string]struct {
		probe
		path string
	}{
		"startupProbe":   {c.StartupProbe, "/readyz"},
		"livenessProbe":  {c.LivenessProbe, "/healthz"},
		"readinessProbe": {c.ReadinessProbe, "/readyz"},
	} {
		if want.HTTPGet.Path != want.path || c.port(want.HTTPGet.Port) != c.port("http") {
			r.addf("%s: asks %s at port %v, want %s at http", probed, want.HTTPGet.Path, want.HTTPGet.Port, want.path)
		}
	}
	timeout, err := time.ParseDuration(given["request-timeout"])
	if err != nil {
		r.addf("--request-timeout: %v", err)
	}
	const answerTime = 5 * time.Second // what the drain adds to --request-timeout
	delay, err := time.ParseDuration(given["drain-delay"])
	if err != nil || delay < 5*time.Second {
		r.addf("--drain-delay: the port closes after %q, before others have noticed", given["drain-delay"])
	}
	if grace := time.Duration(p.Grace) * time.Second; grace < delay+timeout+answerTime {
		r.addf("the drain is cut off: it takes up to %s, and the pod has %s", delay+timeout+answerTime, grace)
	}
	r.memory(c, given["cache-bytes"])
}

// environment returns the settings that the container's variables give, by flag, and the variables as the program sees them.
func (r *report) environment(c container) (given map[string]string, environ []string) {
	given = map[string]string{}
	set := func(name, value string) {
		if bare, ours := strings.CutPrefix(name, "CVMGRAPH_"); ours {
			given[strings.ToLower(strings.ReplaceAll(bare, "_", "-"))] = value
			environ = append(environ, name+"="+value)
		}
	}
	for _, from := range c.EnvFrom {
		data, ok := r.settings[from.ConfigMapRef.Name]
		if !ok {
			r.addf("no ConfigMap %s", from.ConfigMapRef.Name)
		}
		for name, value := range data {
			set(name, value)
		}
	}
	for _, v := range c.Env {
		if ref := v.ValueFrom.SecretKeyRef; ref.Name != "" {
			value, err := base64.StdEncoding.DecodeString(r.secrets[ref.Name][ref.Key])
			if err != nil {
				r.addf("Secret %s: %s: no base64", ref.Name, ref.Key)
			}
			set(v.Name, string(value))
			continue
		}
		set(v.Name, v.Value)
	}
	return given, environ
}

// known checks that the program has each of the settings, and takes its value.
func (r *report) known(given map[string]string, args, environ []string) {
	have, err := flags()
	if err != nil {
		r.addf("%v", err)
	}
	for name := range given {
		if !have[name] && !slices.Contains(pending, name) {
			r.addf("the program has no --%s (%s)", name, variableOf(name))
		}
	}
	ahead := func(setting string) bool {
		return slices.ContainsFunc(pending, func(name string) bool {
			return !have[name] && (strings.HasPrefix(setting, "--"+name+"=") || strings.HasPrefix(setting, variableOf(name)+"="))
		})
	}
	cfg, err := config.Parse(slices.DeleteFunc(args, ahead), slices.DeleteFunc(environ, ahead), io.Discard)
	if err != nil {
		r.addf("the program refuses its settings: %v", err)
		return
	}
	for _, warning := range cfg.Warnings {
		r.addf("the program warns: %s", warning)
	}
}

// heapFloor is memory that the program holds and never touches, in MiB.
const heapFloor = 24

// memory checks that the container's limit is the only one, and has room for the cache.
func (r *report) memory(c container, cache string) {
	limit, err := mebibytes(c.Resources.Limits["memory"])
	if err != nil {
		r.addf("the limit of memory: %v", err)
		return
	}
	if slices.ContainsFunc(c.Env, func(v variable) bool { return v.Name == "GOMEMLIMIT" }) {
		r.addf("GOMEMLIMIT is set: the program follows the container's limit by itself")
	}
	// A heap grows to twice what lives in it; requests at work, stacks and the runtime come on top.
	const besides = 128
	kept, err := config.ParseByteSize(cache)
	if err != nil {
		r.addf("--cache-bytes: %v", err)
	} else if need := 2*(int(kept/config.MiB)+heapFloor) + besides; need > limit {
		r.addf("no room for the cache: it takes a limit of %d MiB, not %d", need, limit)
	}
}

func mebibytes(quantity string) (int, error) {
	number, isMebi := strings.CutSuffix(quantity, "Mi")
	if !isMebi {
		return 0, fmt.Errorf("want a number of Mi, not %q", quantity)
	}
	return strconv.Atoi(number)
}

func (r *report) services() {
	for _, s := range r.cluster.services {
		var selected int
		for _, w := range r.workloads {
			if !s.Spec.Selector.selects(w.Spec.Template.Metadata.Labels) {
				continue
			}
			selected++
			for _, p := range s.Spec.Ports {
				if c := w.Spec.Template.Spec.Containers[0]; c.port(p.TargetPort) == "" {
					r.addf("Service %s: %s has no port %v", s.Metadata.Name, c.Name, p.TargetPort)
				} else if c.port(p.TargetPort) == c.port("admin") {
					r.addf("Service %s: offers the admin port", s.Metadata.Name)
				}
			}
		}
		if selected != 1 {
			r.addf("Service %s: selects the pods of %d Deployments, want 1", s.Metadata.Name, selected)
		}
	}
}

func (r *report) budgets() {
	for _, w := range r.workloads {
		least := 1
		if w.Spec.Replicas != nil {
			least = *w.Spec.Replicas
		}
		for _, s := range r.scalers {
			if s.Spec.Target.Name != w.Metadata.Name {
				continue
			}
			if w.Spec.Replicas != nil {
				r.addf("%s: replicas are set beside a HorizontalPodAutoscaler", w.Metadata.Name)
			}
			if least = s.Spec.MinReplicas; least > s.Spec.MaxReplicas {
				r.addf("HorizontalPodAutoscaler: %d to %d replicas", least, s.Spec.MaxReplicas)
			}
		}
		for _, b := range r.cluster.budgets {
			if b.Spec.Selector.MatchLabels.selects(w.Spec.Template.Metadata.Labels) && (b.Spec.MinAvailable < 1 || b.Spec.MinAvailable >= least) {
				r.addf("PodDisruptionBudget: %d of %s are to be available, want 1 to %d", b.Spec.MinAvailable, w.Metadata.Name, least-1)
			}
		}
	}
	if len(r.cluster.budgets) != 1 {
		r.addf("got %d PodDisruptionBudgets, want 1", len(r.cluster.budgets))
	}
}

func (r *report) policies() {
	for _, p := range r.cluster.policies {
		if !slices.ContainsFunc(r.workloads, func(w workload) bool {
			return len(p.Spec.PodSelector.MatchLabels) > 0 && p.Spec.PodSelector.MatchLabels.selects(w.Spec.Template.Metadata.Labels)
		}) {
			r.addf("NetworkPolicy %s: selects no pod", p.Metadata.Name)
		}
	}
	for _, w := range r.workloads {
		closed := map[string]bool{}
		for _, p := range r.cluster.policies {
			if !p.Spec.PodSelector.MatchLabels.selects(w.Spec.Template.Metadata.Labels) {
				continue
			}
			for _, direction := range p.Spec.PolicyTypes {
				closed[direction] = true
			}
			for _, rule := range append(slices.Clone(p.Spec.Ingress), p.Spec.Egress...) {
				r.rule(p.Metadata.Name, w.Spec.Template.Spec.Containers[0], rule)
			}
		}
		if !closed["Ingress"] || !closed["Egress"] {
			r.addf("no NetworkPolicy closes %s in both directions", w.Metadata.Name)
		}
	}
}

func (r *report) rule(name string, c container, rule rule) {
	if len(rule.Ports) == 0 || len(rule.From)+len(rule.To) == 0 {
		r.addf("NetworkPolicy %s: a rule without ports or peers opens all of them", name)
	}
	for _, port := range rule.Ports {
		if number, isNumber := port.Port.(uint64); len(rule.From) > 0 && c.port(port.Port) == "" {
			r.addf("NetworkPolicy %s: %s has no port %v", name, c.Name, port.Port)
		} else if isNumber && len(rule.To) > 0 && number != 53 && number != 443 {
			r.addf("NetworkPolicy %s: port %d outwards", name, number)
		}
		if c.port("admin") != "" && c.port(port.Port) == c.port("admin") && slices.ContainsFunc(rule.From, func(from peer) bool {
			return from.NamespaceSelector == nil || len(from.NamespaceSelector.MatchLabels) == 0
		}) {
			r.addf("NetworkPolicy %s: the admin port is open to more than one namespace", name)
		}
	}
	for _, to := range rule.To {
		if to.IPBlock == nil || to.IPBlock.CIDR != "0.0.0.0/0" {
			continue
		}
		for _, inside := range []string{"10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} {
			if !slices.Contains(to.IPBlock.Except, inside) {
				r.addf("NetworkPolicy %s: lets calls out to %s", name, inside)
			}
		}
	}
}

// secrecy checks that secrets come from Secrets, that there must be one, and that this build has those that it makes itself.
func (r *report) secrecy() {
	for _, w := range r.workloads {
		for _, c := range w.Spec.Template.Spec.Containers {
			for _, v := range c.Env {
				ref := v.ValueFrom.SecretKeyRef
				if ref.Name == "" {
					continue
				}
				if ref.Optional {
					r.addf("%s: must not be optional", v.Name)
				}
				if r.secrets[ref.Name][ref.Key] == "" {
					r.addf("%s: no Secret %s with %s", v.Name, ref.Name, ref.Key)
				}
			}
			for _, v := range c.Env {
				if v.Value != "" && strings.HasSuffix(v.Name, "_KEY") {
					r.addf("%s: in plain text", v.Name)
				}
			}
		}
	}
	for name, data := range r.settings {
		for variable := range data {
			if strings.HasSuffix(variable, "_KEY") || strings.HasSuffix(variable, "_TOKEN") {
				r.addf("ConfigMap %s: %s in plain text", name, variable)
			}
		}
	}
}
