package deploy_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// composeFile has the parts of compose.yaml that the checks use.
type composeFile struct {
	Services map[string]struct {
		Image       string
		Command     []string
		Environment map[string]string
		Secrets     []string
		Ports       []string
		Volumes     []string
		Networks    []string
		MemLimit    string   `yaml:"mem_limit"`
		StopGrace   string   `yaml:"stop_grace_period"`
		ReadOnly    bool     `yaml:"read_only"`
		CapDrop     []string `yaml:"cap_drop"`
		SecurityOpt []string `yaml:"security_opt"`
	}
	Networks map[string]struct{ Internal bool }
	Secrets  map[string]struct{ File string }
}

func readCompose(t *testing.T) composeFile {
	t.Helper()
	var file composeFile
	if err := yaml.Unmarshal([]byte(content(t, "compose/compose.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Services) != 3 {
		t.Fatalf("got %d services, want cvmgraph, redis and prometheus", len(file.Services))
	}
	return file
}

func TestCompose_settingsAreAccepted(t *testing.T) {
	t.Parallel()
	file := readCompose(t)
	gateway := file.Services["cvmgraph"]
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var environ []string
	for name, value := range gateway.Environment {
		environ = append(environ, name+"="+strings.Replace(value, "/run/secrets/shared-key", key, 1))
	}
	cfg := parsed(t, gateway.Command, environ)
	if len(gateway.Secrets) != 1 || file.Secrets[gateway.Secrets[0]].File != "secrets/shared-key" || cfg.SharedKey == [32]byte{} {
		t.Errorf("got the secrets %q of %+v, want the shared key in secrets/shared-key", gateway.Secrets, file.Secrets)
	}
	if grace, err := time.ParseDuration(gateway.StopGrace); err != nil || grace < cfg.DrainDelay+cfg.RequestTimeout+writeTime {
		t.Errorf("stop_grace_period is %s, %v, but a drain can take %s", gateway.StopGrace, err, cfg.DrainDelay+cfg.RequestTimeout+writeTime)
	}
	if limit, err := mebibytes(strings.TrimSuffix(gateway.MemLimit, "m") + "Mi"); err != nil || limit < memoryFor(cfg.CacheBytes) {
		t.Errorf("mem_limit is %s, %v, want at least %dm", gateway.MemLimit, err, memoryFor(cfg.CacheBytes))
	}
}

func TestCompose_servicesAreConfined(t *testing.T) {
	t.Parallel()
	file := readCompose(t)
	for name, s := range file.Services {
		if !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s: must drop all capabilities and gain no privileges", name)
		}
		if name != "prometheus" && !s.ReadOnly {
			t.Errorf("%s: the root filesystem must be read-only", name)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: the port %s must be published on this machine only", name, port)
			}
		}
	}
	// Only the gateway reaches Redis, which has no password.
	if got := file.Services["redis"]; !slices.Equal(got.Networks, []string{"redis"}) || len(got.Ports) > 0 || !file.Networks["redis"].Internal {
		t.Errorf("got the networks %q and ports %q of redis, want its internal network alone", got.Networks, got.Ports)
	}
	if got := file.Services["cvmgraph"].Ports; !slices.Equal(got, []string{"127.0.0.1:8080:8080"}) {
		t.Errorf("got the ports %q of cvmgraph, want 8080 alone: the other has profiles", got)
	}
	if got := file.Services["prometheus"].Networks; len(got) > 0 {
		t.Errorf("got the networks %q of prometheus, want the default one alone", got)
	}
}

// Prometheus reads the project's alerts, and the metrics of the gateway.
func TestCompose_prometheusFindsTheGateway(t *testing.T) {
	t.Parallel()
	for _, volume := range readCompose(t).Services["prometheus"].Volumes {
		if source, _, _ := strings.Cut(volume, ":"); strings.HasPrefix(source, ".") {
			content(t, filepath.Join("compose", source))
		}
	}
	var scraping struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName       string                       `yaml:"job_name"`
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(content(t, "compose/prometheus.yaml")), &scraping); err != nil {
		t.Fatal(err)
	}
	cfg := parsed(t, readCompose(t).Services["cvmgraph"].Command, nil)
	jobs := scraping.ScrapeConfigs
	if len(jobs) != 1 || jobs[0].JobName != "cvmgraph" || !slices.Equal(jobs[0].StaticConfigs[0].Targets, []string{"cvmgraph" + cfg.AdminListen}) {
		t.Errorf("got the jobs %+v, want cvmgraph at cvmgraph%s", jobs, cfg.AdminListen)
	}
	if !slices.Equal(scraping.RuleFiles, []string{"alerts.yaml"}) {
		t.Errorf("got the rule files %q, want alerts.yaml", scraping.RuleFiles)
	}
}
