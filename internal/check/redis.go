package check

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cvmgraph/internal/redis"
)

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
		return newStep(StepRedis, StatusWarning, fmt.Sprintf("Redis stores and returns an encrypted value, but in %s: the gateway waits %s, and would mostly continue without Redis",
			took.Round(time.Millisecond), redis.DefaultTimeout))
	case err == nil:
		return newStep(StepRedis, StatusOK, fmt.Sprintf("Redis stores and returns an encrypted value, in %s", took.Round(time.Millisecond/100)))
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
