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

// checkSettings says what is odd about settings that are valid.
func checkSettings(o Options) Step {
	if len(o.Warnings) > 0 {
		return found(StepSettings, Warning, strings.Join(o.Warnings, "; "))
	}
	return found(StepSettings, OK, "all are valid")
}

// endsSoon is when a certificate should have been renewed.
const endsSoon = 7 * 24 * time.Hour

// checkCertificate looks at how long the gateway's own certificate is valid.
func checkCertificate(o Options) Step {
	if o.TLSCert == "" {
		return found(StepCertificate, Skipped, "there is none: without --tls-cert the gateway serves plain HTTP")
	}
	pair, err := tls.LoadX509KeyPair(o.TLSCert, o.TLSKey)
	if err != nil {
		return found(StepCertificate, Failed, "--tls-cert and --tls-key cannot be read, or do not belong together")
	}
	switch now, leaf := o.Now(), pair.Leaf; {
	case now.After(leaf.NotAfter):
		return found(StepCertificate, Failed, fmt.Sprintf("that of --tls-cert has expired on %s: renew it", day(leaf.NotAfter)))
	case now.Before(leaf.NotBefore):
		return found(StepCertificate, Failed, fmt.Sprintf("that of --tls-cert is not valid before %s: is this machine's clock right?", day(leaf.NotBefore)))
	case leaf.NotAfter.Sub(now) < endsSoon:
		return found(StepCertificate, Warning, fmt.Sprintf("that of --tls-cert is valid until %s only, %s: renew it", day(leaf.NotAfter), daysLeft(now, leaf.NotAfter)))
	default:
		return found(StepCertificate, OK, fmt.Sprintf("that of --tls-cert is valid until %s, %s", day(leaf.NotAfter), daysLeft(now, leaf.NotAfter)))
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// daysLeft says for how many whole days something is valid yet.
func daysLeft(now, until time.Time) string {
	switch days := int(until.Sub(now) / (24 * time.Hour)); days {
	case 0:
		return "for less than a day"
	case 1:
		return "for a day"
	default:
		return fmt.Sprintf("for %d days", days)
	}
}

// checkDocuments counts the trusted documents, which were read with the settings.
func checkDocuments(o Options) Step {
	if o.TrustedDocuments == 0 {
		return found(StepDocuments, Skipped, "there are none: no --trusted-documents")
	}
	return found(StepDocuments, OK, fmt.Sprintf("all can be read (%d), and --trusted-documents-mode is %s", o.TrustedDocuments, o.TrustedDocumentsMode))
}

// checkRedis connects to Redis, and stores and loads something.
func checkRedis(ctx context.Context, o Options) Step {
	if o.Redis == nil {
		return found(StepRedis, Skipped, "there is none: without --redis-url replicas share nothing")
	}
	if ctx.Err() != nil {
		return found(StepRedis, Skipped, interrupted)
	}
	took, err := redis.Probe(ctx, *o.Redis)
	refused, isProbe := errors.AsType[*redis.ProbeError](err)
	switch {
	case err == nil && took > redis.DefaultTimeout:
		return found(StepRedis, Warning, fmt.Sprintf("it takes a sealed value and returns it, but in %s, and the gateway waits for %s: it would mostly go on without",
			took.Round(time.Millisecond), redis.DefaultTimeout))
	case err == nil:
		return found(StepRedis, OK, fmt.Sprintf("it takes a sealed value and returns it, in %s", took.Round(time.Millisecond/100)))
	case ctx.Err() != nil:
		return found(StepRedis, Failed, interrupted)
	case !isProbe:
		return found(StepRedis, Failed, err.Error())
	}
	return found(StepRedis, Failed, strings.TrimPrefix(err.Error(), "redis: ")+": "+redisAdvice(refused))
}

// redisAdvice says what to do about a Redis that cannot be used.
func redisAdvice(e *redis.ProbeError) string {
	switch e.Code {
	case "WRONGPASS":
		return "user and password in --redis-url are not right"
	case "NOAUTH":
		return "it wants a password, as in redis://:PASSWORD@host"
	case "NOPERM":
		return "the user in --redis-url needs MGET, SET and EVAL for the keys cvmgraph:*"
	case "READONLY", "MASTERDOWN":
		return "it is a replica, --redis-url is to name the primary"
	case "MOVED", "ASK", "CROSSSLOT", "CLUSTERDOWN":
		return "--redis-url is to name one Redis that is no cluster"
	case "OOM":
		return "it is full and evicts nothing, which its maxmemory-policy allkeys-lru changes"
	case "LOADING":
		return "it has only just started, try again"
	case "":
	default:
		return "its log may say why"
	}
	if e.Step == redis.StepConnect {
		return "are host, port and password in --redis-url right, is it running, may this machine reach it, and is the URL rediss:// where it speaks TLS, and only there?"
	}
	return "is it one Redis, or does something stand between that spreads the keys?"
}
