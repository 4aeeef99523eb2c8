// Package deploy holds what Oppflow is deployed with beside docker-compose.yml and Dockerfile at the top: the
// dynamic configuration of the Temporal server and an example of the settings. Its tests hold all of them to what the
// programs in the images really read. It has no code of its own and imports nothing of Oppflow outside of tests.
package deploy
