package config

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/kong"
)

// settings are the values as they were written. Name, default and help of every setting stand here; the
// environment variable follows from the name.
type settings struct {
	Listen           string `default:":8080" placeholder:"HOST:PORT" help:"Public address; an empty host is every interface, port 0 a free one."`
	AdminListen      string `default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Address of /metrics and /debug/pprof, which ask for no credential; empty is off, port 0 a free one."`
	UpstreamURL      string `name:"upstream-url" default:"https://cloud-api.phala.com/api/v1" placeholder:"URL" help:"Base of the REST API, absolute; {base}/cvms/paginated is called."`
	APIVersion       string `name:"api-version" default:"2025-10-28" placeholder:"YYYY-MM-DD" help:"API version to ask the upstream for (X-Phala-Version)."`
	Demo             toggle `default:"false" help:"Serve an embedded demo upstream; refused beside --upstream-url."`
	UpstreamTimeout  string `default:"10s" placeholder:"DURATION" help:"Bound of one upstream attempt, with unit: 500ms, 10s, 1m."`
	RequestTimeout   string `default:"30s" placeholder:"DURATION" help:"Bound of one whole GraphQL request, with unit: 500ms, 10s, 1m."`
	DrainDelay       string `default:"3s" placeholder:"DURATION" help:"How long new requests are still served after SIGTERM, while /readyz answers 503, so that load balancers notice; with unit, or 0. With --demo it is 0 unless it is set."`
	MaxFirst         string `default:"1000" placeholder:"ITEMS" help:"Largest first or last, in items, 1 to 10000."`
	MaxBody          string `default:"256KiB" placeholder:"SIZE" help:"Largest request body, in bytes or with KiB or MiB, 1KiB to 64MiB."`
	CacheTTL         string `name:"cache-ttl" default:"2s" placeholder:"DURATION" help:"How long a page is served without asking the upstream, with unit; 0 keeps none."`
	CacheBytes       string `default:"64MiB" placeholder:"SIZE" help:"Bound of the pages that are kept, in bytes or with KiB, MiB or GiB, 1MiB to 64GiB."`
	StaleIfError     string `default:"0s" placeholder:"DURATION" help:"How old a page may be served when the upstream fails, with unit; 0 serves none."`
	RedisURL         string `name:"redis-url" default:"" placeholder:"URL" help:"Redis that replicas share pages and persisted queries through, redis:// or rediss://; empty is none."`
	SharedKey        string `default:"" placeholder:"KEY" help:"Key of what is shared, 32 random bytes in base64, the same for all replicas; required with --redis-url."`
	TLSCert          string `name:"tls-cert" default:"" placeholder:"FILE" help:"Certificate to serve TLS with, in PEM, with those that sign it behind it; empty is plain HTTP."`
	TLSKey           string `name:"tls-key" default:"" placeholder:"FILE" help:"Key of the certificate, in PEM; required with --tls-cert."`
	AllowedOrigins   string `default:"" placeholder:"ORIGIN,…" help:"Origins whose pages may call the gateway (CORS), such as https://app.example.org, comma separated; empty is its own only."`
	Introspection    toggle `default:"true" help:"Let clients ask for the schema; false also hides suggestions in errors."`
	Playground       toggle `default:"true" help:"Serve GraphiQL at /."`
	MaxTokens        string `default:"2000" placeholder:"COUNT" help:"Largest document, in tokens, 1 to 100000."`
	MaxDepth         string `default:"15" placeholder:"LEVELS" help:"Deepest nesting of fields, 1 to 1000."`
	MaxAliases       string `default:"30" placeholder:"COUNT" help:"Most aliases in a document, 1 to 10000."`
	MaxUpstreamCalls string `default:"100" placeholder:"COUNT" help:"Most upstream calls that one operation may take, 1 to 10000."`
	Projection       toggle `default:"true" help:"Write selected fields straight from the upstream's bytes; false leaves them to gqlgen's plain execution."`
	LogLevel         string `default:"info" placeholder:"LEVEL" help:"Lowest level to log: debug, info, warn or error."`
	LogFormat        string `default:"auto" placeholder:"FORMAT" help:"auto, text or json; auto is text on a terminal and JSON elsewhere."`

	Token  string `default:"" placeholder:"TOKEN" help:"For check alone: a bearer token to call the upstream with."`
	APIKey string `name:"api-key" default:"" placeholder:"KEY" help:"For check alone: an API key to call the upstream with (X-API-Key)."`

	TrustedDocuments     string `default:"" placeholder:"FILE" help:"Documents that clients may name by documentId, as relay-compiler, graphql-codegen or genqlient write them; empty is none."`
	TrustedDocumentsMode string `default:"off" placeholder:"MODE" help:"What becomes of other documents: off, log (answered and noted) or enforce (refused)."`
}

// toggle is a boolean as it was written: --demo alone is "true".
type toggle string

// IsBool tells kong that the flag takes no separate value.
func (toggle) IsBool() bool { return true }

// Decode takes the value that is joined to the flag, or comes from a variable or the default.
func (t *toggle) Decode(ctx *kong.DecodeContext) error {
	*t = "true"
	if ctx.Scan.Peek().Type == kong.FlagValueToken {
		*t = toggle(ctx.Scan.Pop().String())
	}
	return nil
}

// The longest duration keeps sums of durations far from overflow, and catches 30h written for 30s.
const longest = 24 * time.Hour

// decode returns the typed settings, and what is wrong with any of them. given holds the names of the settings
// that are not left at their defaults.
func (s settings) decode(given map[string]bool) (*Config, []string) {
	var p problems
	cfg := &Config{
		Listen:           read(&p, "listen", s.Listen, parseListen),
		AdminListen:      read(&p, "admin-listen", s.AdminListen, parseAdminListen),
		UpstreamURL:      read(&p, "upstream-url", s.UpstreamURL, parseBaseURL),
		APIVersion:       read(&p, "api-version", s.APIVersion, parseDate),
		Demo:             read(&p, "demo", string(s.Demo), parseBool),
		UpstreamTimeout:  read(&p, "upstream-timeout", s.UpstreamTimeout, parseDuration),
		RequestTimeout:   read(&p, "request-timeout", s.RequestTimeout, parseDuration),
		DrainDelay:       read(&p, "drain-delay", s.DrainDelay, parseDurationOrZero),
		MaxFirst:         read(&p, "max-first", s.MaxFirst, parseCount(10000)),
		MaxBody:          read(&p, "max-body", s.MaxBody, parseMaxBody),
		CacheTTL:         read(&p, "cache-ttl", s.CacheTTL, parseDurationOrZero),
		CacheBytes:       read(&p, "cache-bytes", s.CacheBytes, parseCacheBytes),
		StaleIfError:     read(&p, "stale-if-error", s.StaleIfError, parseDurationOrZero),
		RedisURL:         read(&p, "redis-url", s.RedisURL, parseRedisURL),
		SharedKey:        read(&p, "shared-key", s.SharedKey, parseKey),
		TLSCert:          s.TLSCert,
		TLSKey:           s.TLSKey,
		AllowedOrigins:   read(&p, "allowed-origins", s.AllowedOrigins, parseOrigins),
		Introspection:    read(&p, "introspection", string(s.Introspection), parseBool),
		Playground:       read(&p, "playground", string(s.Playground), parseBool),
		MaxTokens:        read(&p, "max-tokens", s.MaxTokens, parseCount(100_000)),
		MaxDepth:         read(&p, "max-depth", s.MaxDepth, parseCount(1000)),
		MaxAliases:       read(&p, "max-aliases", s.MaxAliases, parseCount(10_000)),
		MaxUpstreamCalls: read(&p, "max-upstream-calls", s.MaxUpstreamCalls, parseCount(10_000)),
		Projection:       read(&p, "projection", string(s.Projection), parseBool),
		LogLevel:         read(&p, "log-level", s.LogLevel, parseLogLevel),
		LogFormat:        read(&p, "log-format", s.LogFormat, parseLogFormat),

		TrustedDocuments:     s.TrustedDocuments,
		TrustedDocumentsMode: read(&p, "trusted-documents-mode", s.TrustedDocumentsMode, parseDocumentsMode),
	}
	if cfg.RedisURL != "" && s.SharedKey == "" {
		p.add("shared-key", errors.New("is required with "+settingLabel("redis-url")))
	}
	if cfg.TLSCert != "" && cfg.TLSKey == "" {
		p.add("tls-key", errors.New("is required with "+settingLabel("tls-cert")))
	}
	if cfg.TLSKey != "" && cfg.TLSCert == "" {
		p.add("tls-cert", errors.New("is required with "+settingLabel("tls-key")))
	}
	if cfg.TrustedDocuments == "" && (cfg.TrustedDocumentsMode == "log" || cfg.TrustedDocumentsMode == "enforce") {
		p.add("trusted-documents-mode", errors.New("must be off without "+settingLabel("trusted-documents")))
	}
	if cfg.StaleIfError > 0 && cfg.StaleIfError < cfg.CacheTTL {
		p.add("stale-if-error", errors.New("must be 0, or at least "+settingLabel("cache-ttl")))
	}
	if cfg.Demo {
		if given["upstream-url"] {
			p.add("demo", errors.New("refused beside "+settingLabel("upstream-url")+", leave one of them out"))
		}
		cfg.UpstreamURL = nil
		if !given["drain-delay"] { // nobody balances its load, and somebody waits for its end
			cfg.DrainDelay = 0
		}
	}
	return cfg, p
}

// certificateProblems says why files are no certificate and its key. It does not show what was written: somebody may have written
// the key itself.
func certificateProblems(cert, key string) []string {
	var p problems
	for _, file := range []struct{ flag, name string }{{"tls-cert", cert}, {"tls-key", key}} {
		if _, err := os.ReadFile(file.name); err != nil {
			if in, ok := errors.AsType[*fs.PathError](err); ok {
				err = in.Err
			}
			p.add(file.flag, fmt.Errorf("cannot be read: %w", err))
		}
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil && len(p) == 0 {
		p.add("tls-cert", fmt.Errorf("is no certificate with the key of %s: %s", settingLabel("tls-key"), strings.TrimPrefix(err.Error(), "tls: ")))
	}
	return p
}

type problems []string

func (p *problems) add(flag string, err error) {
	*p = append(*p, settingLabel(flag)+": "+err.Error())
}

// read returns the value that parse makes of what was written, or its zero value and a problem noted.
func read[T any](p *problems, flag, written string, parse func(string) (T, error)) T {
	value, err := parse(written)
	if err != nil {
		p.add(flag, err)
		var none T
		return none
	}
	return value
}

func settingLabel(flag string) string {
	return "--" + flag + " (" + variable(flag) + ")"
}

// mustBe is the error of a value outside its limit. The value is shown: no setting that uses it holds a secret.
func mustBe(limit, written string) error {
	return fmt.Errorf("must be %s, not %s", limit, quote(written))
}

// quote shows at most 40 characters of what was written.
func quote(written string) string {
	const most = 40
	if utf8.RuneCountInString(written) > most {
		written = string([]rune(written)[:most]) + "…"
	}
	return strconv.Quote(written)
}

func parseListen(written string) (string, error) {
	host, port, err := net.SplitHostPort(written)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || !isHost(host) {
		return "", mustBe("HOST:PORT with a port from 0 to 65535 and the host optional", written)
	}
	return written, nil
}

func parseAdminListen(written string) (string, error) {
	if written == "" {
		return "", nil
	}
	return parseListen(written)
}

// isHost reports whether host is empty, an IP address, or made of what host names are made of.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return !strings.ContainsFunc(host, func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

// parseBaseURL does not show what was written: a URL is where passwords are.
func parseBaseURL(written string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(written, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !isHost(u.Hostname()) || u.Hostname() == "" ||
		u.User != nil || strings.ContainsAny(written, "?#") || strings.ContainsFunc(written, unicode.IsSpace) {
		return nil, errors.New("must be an absolute http or https URL with a host and without user, query and fragment")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, errors.New("must be a URL with a port from 1 to 65535, or none")
		}
	}
	return u, nil
}

func parseDate(written string) (string, error) {
	if _, err := time.Parse(time.DateOnly, written); err != nil {
		return "", mustBe("a date YYYY-MM-DD", written)
	}
	return written, nil
}

func parseBool(written string) (bool, error) {
	on, err := strconv.ParseBool(written)
	if err != nil {
		return false, mustBe("true or false", written)
	}
	return on, nil
}

func parseDuration(written string) (time.Duration, error) {
	d, err := time.ParseDuration(written)
	if err != nil || d <= 0 || d > longest {
		return 0, mustBe("a duration with a unit, such as 10s, above 0 and at most 24h", written)
	}
	return d, nil
}

// parseDurationOrZero takes a zero without a unit too.
func parseDurationOrZero(written string) (time.Duration, error) {
	d, err := time.ParseDuration(written)
	if err != nil || d < 0 || d > longest {
		return 0, mustBe("a duration with a unit, such as 2s, at most 24h, or 0", written)
	}
	return d, nil
}

// parseRedisURL does not show what was written: a URL is where passwords are.
func parseRedisURL(written string) (string, error) {
	u, err := url.Parse(written)
	if written != "" && (err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Hostname() == "") {
		return "", errors.New("must be a URL such as redis://host:6379 or rediss://user:password@host:6379/0, or empty")
	}
	return written, nil
}

// parseKey does not show what was written.
func parseKey(written string) (key [32]byte, err error) {
	if written == "" {
		return key, nil
	}
	b, err := base64.StdEncoding.DecodeString(written)
	if err != nil || copy(key[:], b) != len(key) || len(b) != len(key) || key == [32]byte{} {
		return [32]byte{}, errors.New("must be 32 random bytes in base64, such as openssl rand -base64 32 prints")
	}
	return key, nil
}

// parseToken does not show what was written.
func parseToken(written string) (string, error) {
	if !isSecret(written) {
		return "", errors.New("must be the token alone, without the word Bearer: printable ASCII without spaces, at most 8 KiB")
	}
	return written, nil
}

// parseAPIKey does not show what was written.
func parseAPIKey(written string) (string, error) {
	if !isSecret(written) {
		return "", errors.New("must be the key alone: printable ASCII without spaces, at most 8 KiB")
	}
	return written, nil
}

// isSecret tells whether a text can be sent as a bearer token and as a header's value of at most 8 KiB, or is empty.
func isSecret(written string) bool {
	return len("Bearer ")+len(written) <= 8<<10 && !strings.ContainsFunc(written, func(r rune) bool { return r <= ' ' || r > '~' })
}

// parseCount returns a reader of whole numbers from 1 to most.
func parseCount(most int) func(string) (int, error) {
	return func(written string) (int, error) {
		n, err := strconv.Atoi(written)
		if err != nil || n < 1 || n > most {
			return 0, mustBe(fmt.Sprintf("a whole number from 1 to %d", most), written)
		}
		return n, nil
	}
}

// parseOrigins reads origins as browsers write them, so that they can be compared as texts.
func parseOrigins(written string) ([]string, error) {
	if written == "" {
		return nil, nil
	}
	var origins []string
	for origin := range strings.SplitSeq(written, ",") {
		origin = strings.TrimSpace(origin)
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !isHost(u.Hostname()) ||
			origin != strings.ToLower(u.Scheme+"://"+u.Host) || u.Port() == defaultPort(u.Scheme) || strings.HasSuffix(u.Host, ":") {
			return nil, mustBe("origins such as https://app.example.org or http://localhost:3000, in lower case, without path, "+
				"wildcard or the scheme's own port", origin)
		}
		origins = append(origins, origin)
	}
	return origins, nil
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

func parseMaxBody(written string) (ByteSize, error) {
	size, err := ParseByteSize(written)
	if err != nil || size < KiB || size > 64*MiB {
		return 0, mustBe("a size in bytes, or with KiB or MiB, from 1KiB to 64MiB", written)
	}
	return size, nil
}

func parseCacheBytes(written string) (ByteSize, error) {
	size, err := ParseByteSize(written)
	if err != nil || size < MiB || size > 64*GiB {
		return 0, mustBe("a size in bytes, or with KiB, MiB or GiB, from 1MiB to 64GiB", written)
	}
	return size, nil
}

func parseLogLevel(written string) (slog.Level, error) {
	switch written {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, mustBe("debug, info, warn or error", written)
}

func parseLogFormat(written string) (string, error) {
	switch written {
	case "auto", "text", "json":
		return written, nil
	}
	return "", mustBe("auto, text or json", written)
}
