package native

import (
	"context"
	"log/slog"
	"reflect"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
	"manofwar/netmgr/judge"
)

// judges find out what the links are worth, each by itself. It is for the loop's goroutine.
type judges struct {
	log     *slog.Logger
	tell    func(context.Context, netmgr.Event)
	running map[int]*judging
}

// judging is a judge at work.
type judging struct {
	plan  netmgr.JudgePlan
	rules api.JudgeSettings
	judge *judge.Judge
	task  *task
}

// follow has the planned links judged by the owner's rules, and no others.
func (j *judges) follow(ctx context.Context, plans []netmgr.JudgePlan, rules api.JudgeSettings) {
	wanted := make(map[int]bool)
	for _, p := range plans {
		wanted[p.Index] = true
		old := j.running[p.Index]
		if old != nil && old.judges(p) && reflect.DeepEqual(old.rules, rules) {
			if old.plan.Pace != p.Pace {
				old.judge.SetPace(p.Pace)
			}
			old.plan = p
			continue
		}
		if old != nil {
			old.task.stop()
		}
		j.running[p.Index] = j.start(ctx, p, rules)
	}
	for index, old := range j.running {
		if !wanted[index] {
			old.task.stop()
			delete(j.running, index)
		}
	}
}

// judges reports whether a plan is about what is being judged. How closely does not matter.
func (j *judging) judges(p netmgr.JudgePlan) bool {
	p.Pace = j.plan.Pace
	return reflect.DeepEqual(j.plan, p)
}

func (j *judges) start(ctx context.Context, p netmgr.JudgePlan, rules api.JudgeSettings) *judging {
	work := judge.New(judge.Options{
		Link: judge.Link{Index: p.Index, Name: p.Name, Generation: p.Generation, Gateways: p.Gateways, DNS: p.DNS},
		Off:  rules.Off, Operators: rules.Operators, Pace: p.Pace, Log: j.log,
		Tell: func(ctx context.Context, ev netmgr.Judged) { j.tell(ctx, ev) },
	})
	return &judging{plan: p, rules: rules, judge: work, task: startTask(ctx, work.Run)}
}

// nudge has all links looked at again, because somebody may have signed in.
func (j *judges) nudge() {
	for _, work := range j.running {
		work.judge.Nudge()
	}
}

func (j *judges) stop() {
	for _, work := range j.running {
		work.task.stop()
	}
}
