package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// prometheus is the URL of a Prometheus server's API.
type prometheus string

// startPrometheus starts a server with the committed configuration, which scrapes the addresses
// each second.
func startPrometheus(t *testing.T, addresses ...string) prometheus {
	t.Helper()
	dir := t.TempDir()
	configuration := readFile(t, filepath.Join(monitoring, "prometheus.yaml"))
	for old, replacement := range map[string]string{
		": 15s":            ": 1s",
		`"127.0.0.1:9090"`: `"` + strings.ReplaceAll(strings.Join(addresses, `", "`), "http://", "") + `"`,
	} {
		if !strings.Contains(configuration, old) {
			t.Fatalf("prometheus.yaml has no %s", old)
		}
		configuration = strings.ReplaceAll(configuration, old, replacement)
	}
	for name, content := range map[string]string{
		"prometheus.yaml": configuration, "alerts.yaml": readFile(t, filepath.Join(monitoring, "alerts.yaml")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := "127.0.0.1:" + freePort(t)
	server := exec.CommandContext(context.WithoutCancel(t.Context()), "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yaml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=warn")
	server.Stdout, server.Stderr = os.Stdout, os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	tick := time.Tick(50 * time.Millisecond)
	for begun := time.Now(); time.Since(begun) < 20*time.Second; <-tick {
		if request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/-/ready", nil); err == nil {
			if response, err := http.DefaultClient.Do(request); err == nil {
				_ = response.Body.Close()
				if response.StatusCode == http.StatusOK {
					return prometheus("http://" + address + "/api/v1/")
				}
			}
		}
	}
	t.Fatal("Prometheus did not start")
	return ""
}

// get requests a path of the API and decodes the data of the response.
func (p prometheus) get(t *testing.T, path string, query url.Values, data any) {
	t.Helper()
	status, body := fetch(t, http.MethodGet, string(p)+path+"?"+query.Encode())
	decoded := struct{ Data any }{data}
	if err := json.Unmarshal([]byte(body), &decoded); err != nil || status != http.StatusOK {
		t.Fatalf("%s?%s: got %d, %s", path, query.Encode(), status, body)
	}
}

// values returns the current values of a query.
func (p prometheus) values(t *testing.T, query string) []float64 {
	t.Helper()
	var data struct{ Result []struct{ Value [2]any } }
	p.get(t, "query", url.Values{"query": {query}}, &data)
	var values []float64
	for _, sample := range data.Result {
		value, err := strconv.ParseFloat(sample.Value[1].(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	return values
}
