package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// values has valid and invalid values of a setting.
type values struct{ good, bad []string }

func valuesOfSettings() map[string]values {
	all := valuesOfConnections()
	maps.Copy(all, map[string]values{
		"listen": {
			good: []string{":0", ":8080", "localhost:65535", "0.0.0.0:1", "[::1]:1", "[fe80::1%eth0]:1", "my_host.example:80"},
			bad:  []string{"", "8080", "localhost", ":65536", ":-1", ":+1", ":http", "::1:80", "a b:80", "a/b:80", "user@host:80"},
		},
		"admin-listen": {
			good: []string{"", ":0", "127.0.0.1:9090", "0.0.0.0:65535", "[::1]:1"},
			bad:  []string{"9090", "localhost", ":65536", " ", "off", "a/b:80"},
		},
		"upstream-url": {
			good: []string{"http://h", "HTTPS://h:1/", "https://h/api/v1///", "http://[::1]:65535/x", "http://10.0.0.1"},
			bad: []string{
				"", "h", "/api", "//h", "ftp://h", "https:", "https://", "https://:80", "https:h", "http://h:0", "http://h:65536",
				"http://h:x", "http://u@h", "http://u:p@h", "http://h?", "http://h?a=b", "http://h#", "http://h#f", " http://h", "http://h/a b",
				"http://h/%zz", "http://h\n",
			},
		},
		"api-version": {
			good: []string{"2025-10-28", "2024-02-29"},
			bad:  []string{"", "2025-02-29", "2025-1-2", "20251028", "2025-10-28T00:00:00Z", "latest"},
		},
		"demo": {
			good: []string{"true", "false", "1", "0"},
			bad:  []string{"", "maybe", "2"},
		},
		"upstream-timeout": {
			good: []string{"1ns", "1.5s", "24h"},
			bad:  []string{"", "0", "0s", "-1s", "10", "1d", "24h1ns", "9999999h", "abc"},
		},
		"request-timeout": {
			good: []string{"1ns", "5s", "24h"},
			bad:  []string{"", "0", "0s", "-1s", "10", "24h1ns"},
		},
		"drain-delay": {
			good: []string{"0", "0s", "3s", "24h"},
			bad:  []string{"", "-1s", "10", "24h1ns", "abc"},
		},
		"cache-ttl": {
			good: []string{"0", "0s", "2s", "24h"},
			bad:  []string{"", "-1s", "10", "24h1ns", "abc"},
		},
		"cache-bytes": {
			good: []string{"1MiB", "1048576", "64GiB"},
			bad:  []string{"", "0", "1048575", "65GiB", "64MB"},
		},
		"stale-if-error": {
			good: []string{"0", "2s", "24h"},
			bad:  []string{"", "1s", "-1s", "10", "24h1ns"},
		},
		"max-first": {
			good: []string{"1", "10000"},
			bad:  []string{"", "0", "10001", "-1", "1.0", "1e3", "abc", "99999999999999999999"},
		},
		"max-body": {
			good: []string{"1024", "1KiB", "300000", "300000B", "64MiB"},
			bad:  []string{"", "1023", "64MiB1", "67108865", "1GiB", "256KB", "256k", "-1KiB", "1.5MiB", "KiB", "256 KiB", "99999999999999999999MiB"},
		},
		"allowed-origins": {
			good: []string{"", "https://app.example.org", "http://localhost:3000", "https://a.example, https://b.example:8443", "http://[::1]:3000"},
			bad: []string{
				"*", "null", "app.example.org", "https://app.example.org/", "https://App.example.org", "https://app.example.org:443", "http://a:80",
				"https://*.example.org", "ftp://a", "https://", "https://a,", ",", "https://u@a", "https://a?b", "https://a#b", "https://a b", "https://a:",
			},
		},
		"introspection":      {good: []string{"true", "false"}, bad: []string{"", "off"}},
		"playground":         {good: []string{"true", "false"}, bad: []string{"", "on"}},
		"max-tokens":         {good: []string{"1", "100000"}, bad: []string{"", "0", "100001"}},
		"max-depth":          {good: []string{"1", "1000"}, bad: []string{"", "0", "1001"}},
		"max-aliases":        {good: []string{"1", "10000"}, bad: []string{"", "0", "10001"}},
		"max-upstream-calls": {good: []string{"1", "10000"}, bad: []string{"", "0", "-1", "10001", "many"}},
		"log-level":          {good: []string{"debug", "info", "warn", "error"}, bad: []string{"", "INFO", "trace", "info+1"}},
		"log-format":         {good: []string{"auto", "text", "json"}, bad: []string{"", "JSON", "logfmt"}},
	})
	return all
}

// valuesOfConnections has the settings of callers' connections.
func valuesOfConnections() map[string]values {
	return map[string]values{
		"idle-timeout": {
			good: []string{"1ns", "90s", "24h"},
			bad:  []string{"", "0", "0s", "-1s", "10", "24h1ns"},
		},
		"base-path": {
			good: []string{"", "/", "/cvms", "/cvms/", "/a/b-c_d.e~1"},
			bad:  []string{"cvms", "//", "cvms/", "/a//b", "/a/../b", "/.", "/a b", "/a%20b", "/é", "/a?b", "/a#b", "https://h/a", "/{a}"},
		},
		"trusted-proxies": {
			good: []string{"", "10.0.0.0/8", "10.1.2.3", "::1", "fd00::/8, 127.0.0.0/8"},
			bad:  []string{"proxy", "10.0.0.0/33", "10.1.2.3/8", "10.0.0.0/8,", "::ffff:10.0.0.0/104", "fe80::1%eth0", "10.0.0.0/8 10.0.0.0/9", "*"},
		},
		"max-header": {
			good: []string{"4096", "4KiB", "16KiB", "1MiB"},
			bad:  []string{"", "0", "4095", "1048577", "2MiB", "16KB"},
		},
	}
}

func TestParse_values(t *testing.T) {
	t.Parallel()
	for flag, test := range valuesOfSettings() {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			for _, value := range test.good {
				if got := problems(t, []string{"--" + flag + "=" + value}); got != nil {
					t.Errorf("%q: got %q, want no problem", value, got)
				}
			}
			for _, value := range test.bad {
				byFlag := problems(t, []string{"--" + flag + "=" + value})
				byVariable := problems(t, nil, variable(flag)+"="+value)
				prefix := "--" + flag + " (" + variable(flag) + ") "
				if len(byFlag) != 1 || !strings.HasPrefix(byFlag[0], prefix) || strings.Contains(byFlag[0], "\n") {
					t.Errorf("%q: got %q, want one line that begins with %q", value, byFlag, prefix)
				}
				if !slices.Equal(byFlag, byVariable) {
					t.Errorf("%q: got %q by flag and %q by variable, want the same", value, byFlag, byVariable)
				}
			}
		})
	}
}

func TestParse_adminListen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args, environ []string
		want          string
	}{
		"host and port":             {args: []string{"--admin-listen", ":1"}, want: ":1"},
		"empty flag":                {args: []string{"--admin-listen="}},
		"empty argument":            {args: []string{"--admin-listen", ""}},
		"empty variable":            {environ: []string{"CVMGRAPH_ADMIN_LISTEN="}},
		"empty flag and a variable": {args: []string{"--admin-listen="}, environ: []string{"CVMGRAPH_ADMIN_LISTEN=:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parse(t, test.args, test.environ...).AdminListen; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestParse_upstreamURL(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ written, want string }{
		"trailing slash":           {written: "https://h/api/v1/", want: "https://h/api/v1"},
		"several trailing slashes": {written: "https://h//", want: "https://h"},
		"escaped slash":            {written: "https://h/a%2F/", want: "https://h/a%2F"},
		"scheme in capitals":       {written: "HTTP://h:80/x", want: "http://h:80/x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parse(t, []string{"--upstream-url", test.written}).UpstreamURL.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// keyPair writes a certificate and its key, and returns where.
func keyPair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestParse_certificate(t *testing.T) {
	t.Parallel()
	cert, key := keyPair(t)
	_, anotherKey := keyPair(t)
	secret, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	const flagCert, flagKey = "--tls-cert (CVMGRAPH_TLS_CERT) ", "--tls-key (CVMGRAPH_TLS_KEY) "
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"both":                           {args: []string{"--tls-cert", cert, "--tls-key", key}},
		"both, empty":                    {args: []string{"--tls-cert=", "--tls-key="}},
		"certificate only":               {args: []string{"--tls-cert", cert}, want: flagKey + "is required with --tls-cert (CVMGRAPH_TLS_CERT)"},
		"key only":                       {args: []string{"--tls-key", key}, want: flagCert + "is required with --tls-key (CVMGRAPH_TLS_KEY)"},
		"key of another certificate":     {args: []string{"--tls-cert", cert, "--tls-key", anotherKey}, want: flagCert + "does not match the key in --tls-key (CVMGRAPH_TLS_KEY): private key does not match public key"},
		"key instead of the certificate": {args: []string{"--tls-cert", key, "--tls-key", key}, want: flagCert + "does not match the key in --tls-key (CVMGRAPH_TLS_KEY): failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched"},
		"missing files":                  {args: []string{"--tls-cert", "none.crt", "--tls-key", "none.key"}, want: flagCert + "cannot be read: no such file or directory\n" + flagKey + "cannot be read: no such file or directory"},
		"key instead of its file name":   {args: []string{"--tls-cert", cert, "--tls-key=" + string(secret)}, want: flagKey + "cannot be read: no such file or directory"},
		"with other problems":            {args: []string{"--max-first=0", "--tls-cert", cert, "--tls-key", "none.key"}, want: "--max-first (CVMGRAPH_MAX_FIRST) must be a whole number from 1 to 10000, not \"0\"\n" + flagKey + "cannot be read: no such file or directory"},
		"check":                          {args: []string{"check", "--tls-cert", cert, "--tls-key", anotherKey}, want: flagCert + "does not match the key in --tls-key (CVMGRAPH_TLS_KEY): private key does not match public key"},
		"another command":                {args: []string{"health", "--tls-cert", "none.crt", "--tls-key", "none.key"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(problems(t, test.args), "\n")
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestParse_sharedKey(t *testing.T) {
	t.Parallel()
	const secret = "c2VjcmV0"
	key := settings()["shared-key"]
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no key":            {args: []string{"--redis-url=redis://h"}, want: `--shared-key (CVMGRAPH_SHARED_KEY) is required with --redis-url (CVMGRAPH_REDIS_URL)`},
		"short key":         {args: []string{"--redis-url=redis://h", "--shared-key=" + secret}, want: "--shared-key (CVMGRAPH_SHARED_KEY) must be 32 random bytes in base64, such as openssl rand -base64 32 prints"},
		"key of zeros":      {args: []string{"--shared-key=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, want: "--shared-key (CVMGRAPH_SHARED_KEY) must be 32 random bytes in base64, such as openssl rand -base64 32 prints"},
		"another scheme":    {args: []string{"--redis-url=http://" + secret + "@h", "--shared-key=" + key}, want: "--redis-url (CVMGRAPH_REDIS_URL) must be a URL such as redis://host:6379 or rediss://user:password@host:6379/0, or empty"},
		"no host":           {args: []string{"--redis-url=redis://", "--shared-key=" + key}, want: "--redis-url (CVMGRAPH_REDIS_URL) must be a URL such as redis://host:6379 or rediss://user:password@host:6379/0, or empty"},
		"key":               {args: []string{"--redis-url=rediss://u:" + secret + "@h:1/2", "--shared-key=" + key}},
		"key without Redis": {args: []string{"--shared-key=" + key}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(problems(t, test.args), "\n")
			if got != test.want || strings.Contains(got, secret) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
