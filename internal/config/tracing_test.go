package config_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/config"
)

func TestWhereTracesGo(t *testing.T) {
	t.Parallel()
	certificate, key := keyPair(t)
	for name, test := range map[string]struct {
		environ []string
		want    string
	}{
		"nothing":                     {nil, config.TracesOff},
		"a service name alone":        {[]string{"OTEL_SERVICE_NAME=a"}, config.TracesOff},
		"a receiver":                  {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"}, config.TracesHTTP},
		"a receiver of traces":        {[]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://otel.example.org/v1/traces"}, config.TracesHTTP},
		"a receiver of metrics":       {[]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://localhost:4318"}, config.TracesOff},
		"an empty receiver":           {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT="}, config.TracesOff},
		"the exporter alone":          {[]string{"OTEL_TRACES_EXPORTER=otlp"}, config.TracesHTTP},
		"over gRPC":                   {[]string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, config.TracesGRPC},
		"traces alone over gRPC":      {[]string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc"}, config.TracesGRPC},
		"all but traces over gRPC":    {[]string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf"}, config.TracesHTTP},
		"the console":                 {[]string{"OTEL_TRACES_EXPORTER=console", "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"}, config.TracesConsole},
		"none, with a receiver":       {[]string{"OTEL_TRACES_EXPORTER=none", "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"}, config.TracesOff},
		"disabled":                    {[]string{"OTEL_SDK_DISABLED=TRUE", "OTEL_TRACES_EXPORTER=otlp"}, config.TracesOff},
		"not disabled":                {[]string{"OTEL_SDK_DISABLED=false", "OTEL_TRACES_EXPORTER=otlp"}, config.TracesHTTP},
		"the first of a name":         {[]string{"OTEL_TRACES_EXPORTER=console", "OTEL_TRACES_EXPORTER=none"}, config.TracesConsole},
		"odd settings of what is off": {[]string{"OTEL_TRACES_EXPORTER=none", "OTEL_TRACES_SAMPLER=odd", "OTEL_EXPORTER_OTLP_HEADERS=odd"}, config.TracesOff},
		"with certificates": {[]string{
			"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://localhost:4318", "OTEL_EXPORTER_OTLP_CERTIFICATE=" + certificate,
			"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=" + certificate, "OTEL_EXPORTER_OTLP_CLIENT_KEY=" + key,
		}, config.TracesHTTP},
		"all settings": {[]string{
			"OTEL_TRACES_EXPORTER=otlp", "OTEL_TRACES_SAMPLER=Parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.25", "OTEL_BSP_SCHEDULE_DELAY=100",
			"OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20x, x-team = a", "OTEL_EXPORTER_OTLP_TIMEOUT=2000", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip",
			"OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_RESOURCE_ATTRIBUTES=a=b%20c, d=", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT=-1",
		}, config.TracesHTTP},
	} {
		if got := parse(t, nil, test.environ...).Traces; got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestWrongSettingsOfTracesAreListed(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	on := "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"
	certificate, _ := keyPair(t)
	for name, test := range map[string]struct {
		environ, want []string
	}{
		"an exporter": {
			[]string{"OTEL_TRACES_EXPORTER=zipkin"},
			[]string{`OTEL_TRACES_EXPORTER: must be one of otlp, console, none, not "zipkin"`},
		},
		"a boolean": {[]string{"OTEL_SDK_DISABLED=yes"}, []string{`OTEL_SDK_DISABLED: must be one of true, false, not "yes"`}},
		"a sampler": {
			[]string{on, "OTEL_TRACES_SAMPLER=half"},
			[]string{"OTEL_TRACES_SAMPLER: must be one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, " +
				`parentbased_traceidratio, not "half"`},
		},
		"a share": {
			[]string{on, "OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=NaN"},
			[]string{`OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1, not "NaN"`},
		},
		"addresses, which are not shown": {
			[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4318/" + secret, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=ftp://" + secret},
			[]string{
				"OTEL_EXPORTER_OTLP_ENDPOINT: must be an absolute http or https URL with a host and without user",
				"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: must be an absolute http or https URL with a host and without user",
			},
		},
		"headers, which are not shown": {
			[]string{on, "OTEL_EXPORTER_OTLP_HEADERS=authorization: Bearer " + secret, "OTEL_EXPORTER_OTLP_TRACES_HEADERS=a=%zz" + secret},
			[]string{
				"OTEL_EXPORTER_OTLP_HEADERS: must be name=value, comma separated, with values in percent-encoding",
				"OTEL_EXPORTER_OTLP_TRACES_HEADERS: must be name=value, comma separated, with values in percent-encoding",
			},
		},
		"an address with a password": {
			[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://user:" + secret + "@localhost:4318"},
			[]string{"OTEL_EXPORTER_OTLP_ENDPOINT: must be an absolute http or https URL with a host and without user"},
		},
		"files that are none": {
			[]string{
				"OTEL_EXPORTER_OTLP_ENDPOINT=https://localhost:4318", "OTEL_EXPORTER_OTLP_CERTIFICATE=" + secret,
				"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE=" + secret,
			},
			[]string{
				"OTEL_EXPORTER_OTLP_CERTIFICATE: is no file of certificates in PEM",
				"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: is no file of a certificate in PEM with the key of OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
			},
		},
		"a certificate without TLS": {
			[]string{on, "OTEL_EXPORTER_OTLP_CERTIFICATE=" + certificate},
			[]string{"OTEL_EXPORTER_OTLP_ENDPOINT: must be https with a certificate, or have none"},
		},
		"numbers that are too large": {
			[]string{on, "OTEL_BSP_MAX_QUEUE_SIZE=1000000000000000000", "OTEL_BSP_SCHEDULE_DELAY=9223372036854775807", "OTEL_SPAN_EVENT_COUNT_LIMIT=9223372036854775807"},
			[]string{
				`OTEL_BSP_MAX_QUEUE_SIZE: must be a whole number from 1 to 1000000, not "1000000000000000000"`,
				`OTEL_BSP_SCHEDULE_DELAY: must be a whole number of milliseconds from 1 to 86400000, not "9223372036854775807"`,
				`OTEL_SPAN_EVENT_COUNT_LIMIT: must be a whole number of 32 bits, not "9223372036854775807"`,
			},
		},
		"numbers with space, which the library takes for none": {
			[]string{on, "OTEL_BSP_MAX_QUEUE_SIZE= 100"},
			[]string{`OTEL_BSP_MAX_QUEUE_SIZE: must be a whole number from 1 to 1000000, not " 100"`},
		},
		"attributes, which are not shown": {
			[]string{on, "OTEL_RESOURCE_ATTRIBUTES=a=b," + secret},
			[]string{"OTEL_RESOURCE_ATTRIBUTES: must be name=value, comma separated, with values in percent-encoding"},
		},
		"beside those of flags": {
			[]string{on, "CVMGRAPH_MAX_FIRST=0", "OTEL_EXPORTER_OTLP_PROTOCOL=http", "OTEL_EXPORTER_OTLP_TIMEOUT=10s", "OTEL_BSP_MAX_QUEUE_SIZE=0"},
			[]string{
				`--max-first (CVMGRAPH_MAX_FIRST): must be a whole number from 1 to 10000, not "0"`,
				`OTEL_BSP_MAX_QUEUE_SIZE: must be a whole number from 1 to 1000000, not "0"`,
				`OTEL_EXPORTER_OTLP_PROTOCOL: must be one of http/protobuf, http/json, grpc, not "http"`,
				`OTEL_EXPORTER_OTLP_TIMEOUT: must be a whole number of milliseconds from 1 to 86400000, not "10s"`,
			},
		},
	} {
		_, err := config.Parse(nil, test.environ, t.Output())
		problems, ok := errors.AsType[*config.ProblemsError](err)
		if !ok || !slices.Equal(problems.Problems, test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v, which shows a secret", name, err)
		}
	}
	if cfg, err := config.Parse([]string{"schema"}, []string{"OTEL_TRACES_EXPORTER=zipkin"}, t.Output()); err != nil || cfg.Traces != "" {
		t.Errorf("a command that traces nothing: got %v", err)
	}
}
