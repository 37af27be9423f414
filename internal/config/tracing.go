package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// The exporters of traces.
const (
	TracesOff     = ""        // no traces
	TracesConsole = "console" // JSON on the standard output
	TracesGRPC    = "grpc"    // OTLP over gRPC
	TracesHTTP    = "http"    // OTLP over HTTP, in protobuf or JSON
)

// openTelemetry validates the standard OpenTelemetry variables. These are often set for a whole
// cluster, so that the program must not fail because of a value that it does not support: each one
// is a warning. The OpenTelemetry library reads most of the variables itself, and uses its default
// in place of a wrong value. A warning contains the value only if the variable cannot contain a
// secret.
type openTelemetry struct {
	values   map[string]string
	warnings []string
}

// traces returns the exporter that the variables select, and the problems with the variables. If
// those of the receiver are wrong, traces are off.
func (env *openTelemetry) traces() (exporter string, warnings []string) {
	disabled := strings.ToLower(env.read("OTEL_SDK_DISABLED", oneOf("true", "false")))
	selected := env.exporter()
	if disabled == "true" || selected == "none" {
		return TracesOff, env.warnings
	}
	env.readLibrary()
	exporter = TracesConsole
	if selected == "otlp" {
		before := len(env.warnings)
		env.readOTLP()
		exporter = TracesHTTP
		switch {
		case len(env.warnings) > before:
			exporter = TracesOff
			env.warnings = append(env.warnings, "traces are off, because the variables of their receiver are wrong")
		case env.otlp("PROTOCOL") == "grpc":
			exporter = TracesGRPC
		}
	}
	slices.Sort(env.warnings)
	return exporter, env.warnings
}

// exporter returns otlp, console or none: the first known one of OTEL_TRACES_EXPORTER, which is a
// list.
func (env *openTelemetry) exporter() string {
	const name = "OTEL_TRACES_EXPORTER"
	known := []string{"otlp", TracesConsole, "none"}
	var selected string
	for value := range strings.SplitSeq(env.get(name), ",") {
		value = strings.TrimSpace(value)
		switch lower := strings.ToLower(value); {
		case value == "":
		case !slices.Contains(known, lower):
			env.check(name, value, oneOf(known...))
		case selected == "":
			selected = lower
		default:
			env.add(name, fmt.Errorf("has several exporters: %s is used", selected))
		}
	}
	switch {
	case selected != "":
		return selected
	case env.get(name) == "" && env.otlp("ENDPOINT") != "":
		return "otlp"
	}
	return "none"
}

// readLibrary checks the variables of sampler, resource, batching and limits.
func (env *openTelemetry) readLibrary() {
	sampler := env.read("OTEL_TRACES_SAMPLER", oneOf("always_on", "always_off", "traceidratio",
		"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"))
	if strings.HasSuffix(strings.ToLower(sampler), "traceidratio") {
		env.read("OTEL_TRACES_SAMPLER_ARG", share)
	}
	env.read("OTEL_RESOURCE_ATTRIBUTES", pairs(func(name string) bool { return name != "" }))
	for _, name := range []string{"SCHEDULE_DELAY", "EXPORT_TIMEOUT"} {
		env.readExactly("OTEL_BSP_"+name, milliseconds())
	}
	for _, name := range []string{"MAX_QUEUE_SIZE", "MAX_EXPORT_BATCH_SIZE"} {
		env.readExactly("OTEL_BSP_"+name, wholeNumber("a whole number", 1_000_000))
	}
	for _, name := range []string{
		"ATTRIBUTE_VALUE_LENGTH", "ATTRIBUTE_COUNT", "SPAN_ATTRIBUTE_VALUE_LENGTH", "SPAN_ATTRIBUTE_COUNT", "SPAN_EVENT_COUNT", "SPAN_LINK_COUNT",
		"EVENT_ATTRIBUTE_COUNT", "LINK_ATTRIBUTE_COUNT",
	} {
		env.readExactly("OTEL_"+name+"_LIMIT", integer)
	}
}

// readOTLP checks the variables of the OTLP exporter.
func (env *openTelemetry) readOTLP() {
	for name, rule := range map[string]func(string) error{
		"ENDPOINT": endpoint, "HEADERS": pairs(isToken), "TIMEOUT": milliseconds(), "COMPRESSION": oneOf("gzip", "none"),
		"PROTOCOL": exactlyOneOf("http/protobuf", "http/json", "grpc"), "CERTIFICATE": certificates,
	} {
		env.read("OTEL_EXPORTER_OTLP_"+name, rule)
		env.read("OTEL_EXPORTER_OTLP_TRACES_"+name, rule)
	}
	for _, prefix := range []string{"OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_TRACES_"} {
		certificate, key := env.get(prefix+"CLIENT_CERTIFICATE"), env.get(prefix+"CLIENT_KEY")
		if certificate == "" && key == "" {
			continue
		}
		if _, err := tls.LoadX509KeyPair(certificate, key); err != nil {
			env.add(prefix+"CLIENT_CERTIFICATE", errors.New("must be a PEM file of a certificate that matches the key in "+prefix+"CLIENT_KEY"))
		}
	}
	if strings.HasPrefix(env.otlp("ENDPOINT"), "http://") && env.otlp("CERTIFICATE")+env.otlp("CLIENT_CERTIFICATE") != "" {
		env.add("OTEL_EXPORTER_OTLP_ENDPOINT", errors.New("must be an https URL if a certificate is set"))
	}
}

// get returns the value of a variable without the space around it, as the library reads most
// variables.
func (env *openTelemetry) get(name string) string { return strings.TrimSpace(env.values[name]) }

// otlp returns the value of a variable of the OTLP exporter. The variable for traces takes
// precedence over the variable for all signals.
func (env *openTelemetry) otlp(name string) string {
	if value := env.get("OTEL_EXPORTER_OTLP_TRACES_" + name); value != "" {
		return value
	}
	return env.get("OTEL_EXPORTER_OTLP_" + name)
}

func (env *openTelemetry) add(name string, problem error) {
	env.warnings = append(env.warnings, name+" "+problem.Error())
}

// read checks and returns the value of a variable, or "" if the variable is not set.
func (env *openTelemetry) read(name string, rule func(string) error) string {
	env.check(name, env.get(name), rule)
	return env.get(name)
}

// readExactly checks a variable that the library reads without removing the space around its value.
func (env *openTelemetry) readExactly(name string, rule func(string) error) {
	env.check(name, env.values[name], rule)
}

func (env *openTelemetry) check(name, value string, rule func(string) error) {
	if value == "" {
		return
	}
	if problem := rule(value); problem != nil {
		env.add(name, problem)
	}
}

// oneOf accepts the values in upper and lower case.
func oneOf(values ...string) func(string) error {
	rule := exactlyOneOf(values...)
	return func(written string) error {
		if rule(strings.ToLower(written)) == nil {
			return nil
		}
		return rule(written)
	}
}

func exactlyOneOf(values ...string) func(string) error {
	return func(written string) error {
		if slices.Contains(values, written) {
			return nil
		}
		return mustBe("one of "+strings.Join(values, ", "), written)
	}
}

func share(written string) error {
	if f, err := strconv.ParseFloat(written, 64); err != nil || !(f >= 0 && f <= 1) {
		return mustBe("a number from 0 to 1", written)
	}
	return nil
}

// wholeNumber accepts numbers from 1 to limit, which what describes.
func wholeNumber(what string, limit int64) func(string) error {
	return func(written string) error {
		if n, err := strconv.ParseInt(written, 10, 64); err != nil || n < 1 || n > limit {
			return mustBe(fmt.Sprintf("%s from 1 to %d", what, limit), written)
		}
		return nil
	}
}

func milliseconds() func(string) error {
	return wholeNumber("a whole number of milliseconds", maxDuration.Milliseconds())
}

func integer(written string) error {
	if _, err := strconv.ParseInt(written, 10, 32); err != nil {
		return mustBe("a 32-bit integer", written)
	}
	return nil
}

func endpoint(written string) error {
	if u, err := url.Parse(written); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return errors.New("must be an absolute http or https URL with a host and without a user")
	}
	return nil
}

// pairs accepts a comma-separated list of name=value.
func pairs(isName func(string) bool) func(string) error {
	return func(written string) error {
		for pair := range strings.SplitSeq(written, ",") {
			name, value, ok := strings.Cut(pair, "=")
			if _, err := url.PathUnescape(strings.TrimSpace(value)); !ok || err != nil || !isName(strings.TrimSpace(name)) {
				return errors.New("must be a comma-separated list of name=value, with percent-encoded values")
			}
		}
		return nil
	}
}

// isToken reports whether a string is a valid header name.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.ContainsRune("!#$%&'*+-.^_`|~", c):
			return false
		}
		return true
	})
}

// certificates accepts the name of a PEM file with certificates.
func certificates(written string) error {
	file, err := os.ReadFile(written)
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(file) {
		return errors.New("must be a PEM file with certificates")
	}
	return nil
}
