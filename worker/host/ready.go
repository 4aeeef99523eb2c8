package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/lifecycle"
)

// WriteReady writes value as JSON to the file that whoever started this process waits for. The file appears whole or
// not at all. Without a path it does nothing.
func WriteReady(path string, value any) (err error) {
	if path == "" {
		return nil
	}
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("ready file %s: %w", path, err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".ready-*")
	if err != nil {
		return fmt.Errorf("ready file %s: %w", path, cause(err))
	}
	_, err = file.Write(append(content, '\n'))
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("ready file %s: %w", path, errors.Join(cause(err), os.Remove(file.Name())))
	}
	return nil
}

// cause is a file error without the path of the temporary file.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// polls notices on the connection when both workers ask for tasks: the SDK does not tell.
type polls struct {
	mu                   sync.Mutex
	workflow, activities bool
	both                 chan struct{}
}

func newPolls() *polls { return &polls{both: make(chan struct{})} }

func (p *polls) intercept(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	switch request := request.(type) {
	case *workflowservice.PollWorkflowTaskQueueRequest:
		p.note(&p.workflow, request.GetTaskQueue().GetName() == lifecycle.TaskQueue)
	case *workflowservice.PollActivityTaskQueueRequest:
		p.note(&p.activities, request.GetTaskQueue().GetName() == activities.TaskQueue)
	}
	return invoke(ctx, method, request, reply, conn, options...)
}

func (p *polls) note(seen *bool, ours bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !ours || *seen {
		return
	}
	*seen = true
	if p.workflow && p.activities {
		close(p.both)
	}
}
