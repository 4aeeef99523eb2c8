package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/tools/common/schema"
	"go.temporal.io/server/tools/sql"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	// postgresUser is the user that PostgreSQL must accept without a password.
	postgresUser = "postgres"
	// The number of history shards cannot change after the database is created.
	postgresShards = 4
)

// postgresStores returns the configuration of the server's two PostgreSQL databases, by purpose.
// postgresStores creates missing databases, and upgrades both databases to this server's version.
func postgresStores(address string) (map[string]config.DataStore, error) {
	stores := make(map[string]config.DataStore)
	for name, tables := range map[string]string{"temporal": "postgresql/v12/temporal", "temporal_visibility": "postgresql/v12/visibility"} {
		database := &config.SQL{
			PluginName: postgresql.PluginName, ConnectProtocol: "tcp", ConnectAddr: address, User: postgresUser, DatabaseName: name,
			MaxConns: 20, MaxIdleConns: 20, MaxConnLifetime: time.Hour,
		}
		if err := prepareDatabase(*database, tables); err != nil {
			return nil, fmt.Errorf("--postgres %s: database %s: %w", address, name, err)
		}
		stores[name] = config.DataStore{SQL: database}
	}
	return stores, nil
}

func prepareDatabase(database config.SQL, tables string) error {
	logger := log.NewNoopLogger()
	within := database // the tool changes its argument
	if err := sql.DoCreateDatabase(&within, "postgres", logger); err != nil {
		return fmt.Errorf("the user %s cannot create the database without a password: %w", postgresUser, err)
	}
	connection, err := sql.NewConnection(&database, logger)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := connection.ReadSchemaVersion(); err != nil {
		if err := schema.NewSetupSchemaTask(connection, &schema.SetupConfig{InitialVersion: "0.0"}, logger).Run(); err != nil {
			return err
		}
	}
	return schema.NewUpdateSchemaTask(connection, &schema.UpdateConfig{DBName: database.DatabaseName, SchemaName: tables}, logger).Run()
}

func registerNamespace(ctx context.Context, c client.Client, namespace string) error {
	_, err := c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: namespace, WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	var there *serviceerror.NamespaceAlreadyExists
	if errors.As(err, &there) {
		return nil
	}
	return err
}
