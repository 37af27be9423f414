package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"cvmgraph/internal/redis"
)

// checkSettings reports the warnings about valid settings.
func checkSettings(o Options) Step {
	if len(o.Warnings) > 0 {
		return newStep(StepSettings, StatusWarning, strings.Join(o.Warnings, "; "))
	}
	return newStep(StepSettings, StatusOK, "all settings are valid")
}

// renewBefore is the remaining validity below which a certificate should have been renewed.
const renewBefore = 7 * 24 * time.Hour

// checkCertificate checks the validity of the gateway's own certificate.
func checkCertificate(o Options) Step {
	if o.TLSCert == "" {
		return newStep(StepCertificate, StatusSkipped, "no --tls-cert: the gateway serves plain HTTP")
	}
	pair, err := tls.LoadX509KeyPair(o.TLSCert, o.TLSKey)
	if err != nil {
		return newStep(StepCertificate, StatusFailed, "cannot read --tls-cert and --tls-key, or they do not match")
	}
	switch now, leaf := o.Now(), pair.Leaf; {
	case now.After(leaf.NotAfter):
		return newStep(StepCertificate, StatusFailed, fmt.Sprintf("the certificate of --tls-cert expired on %s: renew it", day(leaf.NotAfter)))
	case now.Before(leaf.NotBefore):
		return newStep(StepCertificate, StatusFailed, fmt.Sprintf("the certificate of --tls-cert is not valid before %s: check this machine's clock", day(leaf.NotBefore)))
	case leaf.NotAfter.Sub(now) < renewBefore:
		return newStep(StepCertificate, StatusWarning, fmt.Sprintf("the certificate of --tls-cert is valid only until %s (%s): renew it", day(leaf.NotAfter), daysLeft(now, leaf.NotAfter)))
	default:
		return newStep(StepCertificate, StatusOK, fmt.Sprintf("the certificate of --tls-cert is valid until %s (%s)", day(leaf.NotAfter), daysLeft(now, leaf.NotAfter)))
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// daysLeft describes the time left in whole days.
func daysLeft(now, until time.Time) string {
	switch days := int(until.Sub(now) / (24 * time.Hour)); days {
	case 0:
		return "less than a day left"
	case 1:
		return "1 day left"
	default:
		return fmt.Sprintf("%d days left", days)
	}
}

// checkDocuments reports the number of trusted documents, which were loaded with the settings.
func checkDocuments(o Options) Step {
	if o.TrustedDocumentCount == 0 {
		return newStep(StepDocuments, StatusSkipped, "no --trusted-documents")
	}
	return newStep(StepDocuments, StatusOK, fmt.Sprintf("%d documents loaded, --trusted-documents-mode is %s", o.TrustedDocumentCount, o.TrustedDocumentsMode))
}

// checkRedis connects to Redis, and stores and loads a value.
func checkRedis(ctx context.Context, o Options) Step {
	if o.Redis == nil {
		return newStep(StepRedis, StatusSkipped, "no --redis-url: replicas share nothing")
	}
	if ctx.Err() != nil {
		return newStep(StepRedis, StatusSkipped, interrupted)
	}
	took, err := redis.Probe(ctx, *o.Redis)
	probeErr, isProbe := errors.AsType[*redis.ProbeError](err)
	switch {
	case err == nil && took > redis.DefaultTimeout:
		return newStep(StepRedis, StatusWarning, fmt.Sprintf("Redis stores and returns a sealed value, but in %s: the gateway waits %s, and would mostly continue without Redis",
			took.Round(time.Millisecond), redis.DefaultTimeout))
	case err == nil:
		return newStep(StepRedis, StatusOK, fmt.Sprintf("Redis stores and returns a sealed value, in %s", took.Round(time.Millisecond/100)))
	case ctx.Err() != nil:
		return newStep(StepRedis, StatusFailed, interrupted)
	case !isProbe:
		return newStep(StepRedis, StatusFailed, err.Error())
	}
	return newStep(StepRedis, StatusFailed, strings.TrimPrefix(err.Error(), "redis: ")+": "+redisAdvice(probeErr))
}

// redisAdvice returns what to do about a Redis that cannot be used.
func redisAdvice(e *redis.ProbeError) string {
	switch e.Code {
	case "WRONGPASS":
		return "check user and password in --redis-url"
	case "NOAUTH":
		return "add the password to --redis-url, as in redis://:PASSWORD@host"
	case "NOPERM":
		return "the user in --redis-url needs MGET, SET and EVAL for the keys cvmgraph:*"
	case "READONLY", "MASTERDOWN":
		return "it is a replica; --redis-url must name the primary"
	case "MOVED", "ASK", "CROSSSLOT", "CLUSTERDOWN":
		return "--redis-url must name a single Redis, not a cluster"
	case "OOM":
		return "it is full and evicts nothing; set its maxmemory-policy to allkeys-lru"
	case "LOADING":
		return "it has just started; try again"
	case "":
	default:
		return "see its log"
	}
	if e.Step == redis.StepConnect {
		return "check host, port and password in --redis-url, that Redis is running and reachable from this machine, and that the URL is rediss:// only if it uses TLS"
	}
	return "check that --redis-url names a single Redis, without a proxy that distributes keys"
}
