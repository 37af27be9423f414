// Package deploy_test checks the manifests that kustomize builds.
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

// pending are settings that the manifests use before the program has them. A test fails when the
// program has one of them.
var pending []string

// build returns the manifests of base or example. make deploy-check builds them.
func build(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("CVMGRAPH_TEST_DEPLOY")
	if dir == "" {
		t.Skip("requires built manifests: run make deploy-check")
	}
	content, err := os.ReadFile(filepath.Join(dir, name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestManifests_haveNoProblems(t *testing.T) {
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

// The checks find the problems that they check for.
func TestProblems_findsEachFault(t *testing.T) {
	t.Parallel()
	for name, tt := range faults() {
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

// fault is a replacement in the built example, and a part of the problem that it causes.
type fault struct{ old, broken, want string }

func faults() map[string]fault {
	return map[string]fault{
		"root user":                    {old: "runAsNonRoot: true", broken: "runAsNonRoot: false", want: "must not run as root"},
		"user 0":                       {old: "runAsUser: 65532", broken: "runAsUser: 0", want: "must not run as root"},
		"writable root filesystem":     {old: "readOnlyRootFilesystem: true", broken: "readOnlyRootFilesystem: false", want: "read-only"},
		"privilege escalation":         {old: "allowPrivilegeEscalation: false", broken: "allowPrivilegeEscalation: true", want: "privileges"},
		"added capability":             {old: "drop:", broken: "add: [NET_RAW]\n            drop:", want: "capabilities"},
		"no seccomp profile":           {old: "type: RuntimeDefault", broken: "type: Unconfined", want: "seccomp"},
		"API token":                    {old: "automountServiceAccountToken: false", broken: "automountServiceAccountToken: true", want: "token"},
		"service links":                {old: "enableServiceLinks: false", broken: "enableServiceLinks: true", want: "service links"},
		"no memory limit":              {old: "memory: 384Mi", broken: "{}: {}", want: "memory"},
		"memory limit below the cache": {old: "CVMGRAPH_CACHE_BYTES: 64MiB", broken: "CVMGRAPH_CACHE_BYTES: 256MiB", want: "too small"},
		"GOMEMLIMIT":                   {old: "env:", broken: "env:\n        - name: GOMEMLIMIT\n          value: 300MiB", want: "GOMEMLIMIT"},
		"liveness probe of /readyz":    {old: "path: /healthz", broken: "path: /readyz", want: "livenessProbe"},
		"probe of the admin port": {
			old:    "port: http\n          periodSeconds: 10",
			broken: "port: admin\n          periodSeconds: 10",
			want:   "livenessProbe",
		},
		"wrong container port":      {old: "containerPort: 8080", broken: "containerPort: 8081", want: "--listen"},
		"unknown flag":              {old: "--listen=:8080", broken: "--listens=:8080", want: "listens"},
		"unknown variable":          {old: "CVMGRAPH_LOG_FORMAT", broken: "CVMGRAPH_LOG_FORMATS", want: "log-formats"},
		"invalid value":             {old: "CVMGRAPH_LOG_FORMAT: json", broken: "CVMGRAPH_LOG_FORMAT: yaml", want: "--log-format"},
		"short grace period":        {old: "terminationGracePeriodSeconds: 80", broken: "terminationGracePeriodSeconds: 60", want: "terminationGracePeriodSeconds"},
		"long request timeout":      {old: "CVMGRAPH_REQUEST_TIMEOUT: 60s", broken: "CVMGRAPH_REQUEST_TIMEOUT: 90s", want: "terminationGracePeriodSeconds"},
		"short drain delay":         {old: "CVMGRAPH_DRAIN_DELAY: 10s", broken: "CVMGRAPH_DRAIN_DELAY: 1s", want: "--drain-delay"},
		"budget that blocks drains": {old: "minAvailable: 2", broken: "minAvailable: 3", want: "PodDisruptionBudget"},
		"policy without pods": {
			old:    "podSelector:\n    matchLabels:\n      app.kubernetes.io/name: cvmgraph\n  policyTypes:\n  - Ingress",
			broken: "podSelector:\n    matchLabels:\n      app.kubernetes.io/name: other\n  policyTypes:\n  - Ingress",
			want:   "NetworkPolicy",
		},
		"admin port for all namespaces": {old: "kubernetes.io/metadata.name: monitoring", broken: "", want: "admin port"},
		"egress to metadata services":   {old: "- 169.254.0.0/16", broken: "- 169.254.1.0/24", want: "169.254.0.0/16"},
		"image of a registry":           {old: "image: cvmgraph", broken: "image: registry.example.org/cvmgraph", want: "registry"},
		"optional secret":               {old: "key: shared-key", broken: "key: shared-key\n              optional: true", want: "optional"},
		"missing secret":                {old: "kind: Secret", broken: "kind: ServiceAccount", want: "no Secret"},
		"key in plain text":             {old: "CVMGRAPH_LOG_FORMAT: json", broken: "CVMGRAPH_SHARED_KEY: abc", want: "plain text"},
		"service without pods":          {old: "targetPort: http", broken: "targetPort: https", want: "Service"},
		"fixed number of replicas": {
			old:    "spec:\n  revisionHistoryLimit",
			broken: "spec:\n  replicas: 3\n  revisionHistoryLimit",
			want:   "replicas",
		},
	}
}

func TestPending_hasOnlySettingsThatTheProgramLacks(t *testing.T) {
	t.Parallel()
	built := build(t, "base") + build(t, "example")
	have := settings(t)
	for _, name := range pending {
		if have[name] {
			t.Errorf("the program has --%s: remove it from pending", name)
		}
		if !strings.Contains(built, "--"+name) && !strings.Contains(built, variableOf(name)) {
			t.Errorf("no manifest uses --%s: remove it from pending", name)
		}
	}
}

func TestFiles_containNoKeysAndNoSecrets(t *testing.T) {
	t.Parallel()
	key := regexp.MustCompile(`[A-Za-z0-9+/_-]{42,}=`)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) == ".env" {
			return err
		}
		content, err := os.ReadFile(path)
		if key.Match(content) || filepath.Ext(path) == ".yaml" && bytes.Contains(content, []byte("kind: Secret")) {
			t.Errorf("%s: contains a key or a Secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// settings returns the names of the program's flags.
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

// report collects the problems of a cluster.
type report struct {
	cluster
	found []string
}

func (r *report) addf(format string, args ...any) {
	r.found = append(r.found, fmt.Sprintf(format, args...))
}

// problems returns the problems of a build.
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
		r.addf("the first Deployment must be cvmgraph")
	} else {
		r.gateway(c.workloads[0])
	}
	return r.found
}

// workload checks the rules for every pod.
func (r *report) workload(w workload) {
	name, p := w.Metadata.Name, w.Spec.Template.Spec
	if !w.Spec.Selector.MatchLabels.selects(w.Spec.Template.Metadata.Labels) || len(w.Spec.Selector.MatchLabels) == 0 {
		r.addf("%s: does not select its own pods", name)
	}
	if !p.SecurityContext.RunAsNonRoot || p.SecurityContext.RunAsUser == 0 {
		r.addf("%s: must not run as root", name)
	}
	if p.SecurityContext.SeccompProfile.Type != "RuntimeDefault" {
		r.addf("%s: the seccomp profile must be RuntimeDefault", name)
	}
	if p.Automount == nil || *p.Automount || p.HostNetwork || p.HostPID || p.HostIPC || len(p.Volumes) > 0 {
		r.addf("%s: must not have a token of the cluster's API, namespaces of the host, or volumes", name)
	}
	if p.ServiceLinks == nil || *p.ServiceLinks {
		r.addf("%s: must not have service links", name)
	}
	for _, c := range append(p.InitContainers, p.Containers...) {
		r.container(name+"/"+c.Name, c)
	}
}

func (r *report) container(name string, c container) {
	s := c.Security
	if s.RunAsUser != nil || s.RunAsNonRoot != nil {
		r.addf("%s: the user is a setting of the pod, which must not run as root", name)
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
			r.addf("%s: no request or limit for %s", name, resource)
		}
	}
	// The first part of an image is a registry if it has a dot or a port.
	if first, _, isPath := strings.Cut(c.Image, "/"); c.Image == "" || isPath && (strings.ContainsAny(first, ".:") || first == "localhost") {
		r.addf("%s: the image %s must not name a registry", name, c.Image)
	}
	for probed, p := range map[string]probe{"startupProbe": c.StartupProbe, "livenessProbe": c.LivenessProbe, "readinessProbe": c.ReadinessProbe} {
		port := p.HTTPGet.Port
		if port == nil {
			port = p.TCPSocket.Port
		}
		if port == nil || c.port(port) == "" {
			r.addf("%s: %s: does not use a port of the container", name, probed)
		}
	}
}

// writeTime is what a drain adds to --drain-delay and --request-timeout.
const writeTime = 5 * time.Second

// gateway checks the rules for the gateway's pod.
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
			r.addf("%s: requests %s at port %v, want %s at http", probed, want.HTTPGet.Path, want.HTTPGet.Port, want.path)
		}
	}
	timeout, err := time.ParseDuration(given["request-timeout"])
	if err != nil {
		r.addf("--request-timeout: %v", err)
	}
	delay, err := time.ParseDuration(given["drain-delay"])
	if err != nil || delay < 5*time.Second {
		r.addf("--drain-delay: got %q, want at least 5s, so that proxies notice before the port closes", given["drain-delay"])
	}
	if grace := time.Duration(p.Grace) * time.Second; grace < delay+timeout+writeTime {
		r.addf("terminationGracePeriodSeconds is %s, but a drain can take %s", grace, delay+timeout+writeTime)
	}
	r.memory(c, given["cache-bytes"])
}

// environment returns the settings in the container's variables, by flag, and the variables
// themselves.
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
				r.addf("Secret %s: %s: not base64", ref.Name, ref.Key)
			}
			set(v.Name, string(value))
			continue
		}
		set(v.Name, v.Value)
	}
	return given, environ
}

// known checks that the program accepts each setting and its value.
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
	isPending := func(setting string) bool {
		return slices.ContainsFunc(pending, func(name string) bool {
			return !have[name] && (strings.HasPrefix(setting, "--"+name+"=") || strings.HasPrefix(setting, variableOf(name)+"="))
		})
	}
	cfg, err := config.Parse(slices.DeleteFunc(args, isPending), slices.DeleteFunc(environ, isPending), io.Discard)
	if err != nil {
		r.addf("the program rejects the settings: %v", err)
		return
	}
	for _, warning := range cfg.Warnings {
		r.addf("the program warns: %s", warning)
	}
}

// heapFloor is the size of memory that the program allocates at start and never uses, in MiB.
const heapFloor = 24

// memory checks that only the container limits the memory, and that the limit is large enough for
// the cache.
func (r *report) memory(c container, cache string) {
	limit, err := mebibytes(c.Resources.Limits["memory"])
	if err != nil {
		r.addf("memory limit: %v", err)
		return
	}
	if slices.ContainsFunc(c.Env, func(v variable) bool { return v.Name == "GOMEMLIMIT" }) {
		r.addf("GOMEMLIMIT is set: remove it, because the program sets it from the container's limit")
	}
	size, err := config.ParseByteSize(cache)
	if err != nil {
		r.addf("--cache-bytes: %v", err)
	} else if need := memoryFor(size); need > limit {
		r.addf("the memory limit is too small for the cache: got %d MiB, want at least %d", limit, need)
	}
}

// memoryFor returns the necessary memory for a size of the cache, in MiB. The heap grows to twice
// the size of its live objects. Requests, stacks and the runtime need more memory.
func memoryFor(cache config.ByteSize) int {
	const otherMemory = 128
	return 2*(int(cache/config.MiB)+heapFloor) + otherMemory
}

func mebibytes(quantity string) (int, error) {
	number, isMebi := strings.CutSuffix(quantity, "Mi")
	if !isMebi {
		return 0, fmt.Errorf("got %q, want a number of Mi", quantity)
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
					r.addf("Service %s: has the admin port", s.Metadata.Name)
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
				r.addf("%s: has replicas and a HorizontalPodAutoscaler", w.Metadata.Name)
			}
			if least = s.Spec.MinReplicas; least > s.Spec.MaxReplicas {
				r.addf("HorizontalPodAutoscaler: %d to %d replicas", least, s.Spec.MaxReplicas)
			}
		}
		for _, b := range r.cluster.budgets {
			if b.Spec.Selector.MatchLabels.selects(w.Spec.Template.Metadata.Labels) && (b.Spec.MinAvailable < 1 || b.Spec.MinAvailable >= least) {
				r.addf("PodDisruptionBudget: got minAvailable %d for %s, want 1 to %d", b.Spec.MinAvailable, w.Metadata.Name, least-1)
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
			r.addf("no NetworkPolicy restricts %s in both directions", w.Metadata.Name)
		}
	}
}

func (r *report) rule(name string, c container, rule rule) {
	if len(rule.Ports) == 0 || len(rule.From)+len(rule.To) == 0 {
		r.addf("NetworkPolicy %s: a rule without ports or peers allows all of them", name)
	}
	for _, port := range rule.Ports {
		if number, isNumber := port.Port.(uint64); len(rule.From) > 0 && c.port(port.Port) == "" {
			r.addf("NetworkPolicy %s: %s has no port %v", name, c.Name, port.Port)
		} else if isNumber && len(rule.To) > 0 && number != 53 && number != 443 {
			r.addf("NetworkPolicy %s: allows egress to port %d", name, number)
		}
		if c.port("admin") != "" && c.port(port.Port) == c.port("admin") && slices.ContainsFunc(rule.From, func(from peer) bool {
			return from.NamespaceSelector == nil || len(from.NamespaceSelector.MatchLabels) == 0
		}) {
			r.addf("NetworkPolicy %s: allows access to the admin port from more than one namespace", name)
		}
	}
	for _, to := range rule.To {
		if to.IPBlock == nil || to.IPBlock.CIDR != "0.0.0.0/0" {
			continue
		}
		for _, private := range []string{"10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} {
			if !slices.Contains(to.IPBlock.Except, private) {
				r.addf("NetworkPolicy %s: allows egress to %s", name, private)
			}
		}
	}
}

// secrecy checks that secrets come from Secrets, that these are required, and that the build
// contains them.
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
