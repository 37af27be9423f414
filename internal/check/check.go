// Package check looks for what would keep a gateway from serving: it calls the upstream and Redis as a gateway does, once, and says for
// each step what is wrong and what to do. What it says holds no URL, no credential, and of the upstream's answers names of keys alone.
package check

import (
	"context"
	"time"

	"cvmgraph/internal/redis"
	"cvmgraph/restclient"
)

// Options say what to check.
type Options struct {
	// Upstream is what the gateway's client is made of.
	Upstream restclient.Options
	// Token and APIKey are sent as bearer token and as X-API-Key, both where there are both; empty is none.
	Token, APIKey string
	// Warnings are about the settings, one line each.
	Warnings []string
	// TLSCert and TLSKey are the files, in PEM, that the gateway serves TLS with; empty is none.
	TLSCert, TLSKey string
	// TrustedDocuments is how many there are, and TrustedDocumentsMode what becomes of others.
	TrustedDocuments     int
	TrustedDocumentsMode string
	// Redis is what replicas share; nil is nothing.
	Redis *redis.Options
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Status is how a step ended.
type Status string

// The statuses of a [Step].
const (
	OK      Status = "ok"
	Warning Status = "warning" // it works, but somebody should have a look
	Failed  Status = "failed"  // the gateway would not serve, or not all of it
	Skipped Status = "skipped" // there is nothing to check, or no way to
)

// The names of the steps, in their order.
const (
	StepSettings     = "settings"
	StepReachability = "reachability"
	StepTLS          = "tls"
	StepHTTP         = "http"
	StepCredential   = "credential"
	StepContract     = "contract"
	StepCertificate  = "certificate"
	StepDocuments    = "trusted_documents"
	StepRedis        = "redis"
)

// Step is what was found in one step.
type Step struct {
	// Name is one of the constants StepSettings to StepRedis.
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Message is for people: what was found, and what to do about it.
	Message string `json:"message"`
	// Differences are those of the upstream's page from what its API version promises, and More is how many others there are.
	Differences []restclient.Difference `json:"differences,omitempty"`
	More        int                     `json:"more,omitempty"`
}

// Report is what was found in all steps.
type Report struct {
	// OK says that none failed.
	OK bool `json:"ok"`
	// Checks has each of the steps, in their order.
	Checks []Step `json:"checks"`
}

// Run checks all there is. It makes at most three calls to the upstream, each within the client's timeout, none of which is made again, and
// waits for Redis for a few seconds. Where ctx ends, what is not done by then fails or is skipped. The error says what is wrong with the
// client's options.
func Run(ctx context.Context, options Options) (Report, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if _, err := restclient.New(options.Upstream); err != nil {
		return Report{}, err
	}
	steps := []Step{checkSettings(options)}
	steps = append(steps, (&upstream{options}).check(ctx)...)
	steps = append(steps, checkCertificate(options), checkDocuments(options), checkRedis(ctx, options))
	report := Report{OK: true, Checks: steps}
	for _, step := range steps {
		report.OK = report.OK && step.Status != Failed
	}
	return report, nil
}

// found makes a step without differences.
func found(name string, status Status, message string) Step {
	return Step{Name: name, Status: status, Message: message}
}
