// The rules for schema.graphqls. `make schema-check` runs them from the top of the repository.

import graphql from '@graphql-eslint/eslint-plugin';

export default [
  {
    files: ['**/*.graphqls'],
    plugins: { '@graphql-eslint': graphql },
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: 'schema.graphqls' } },
    },
    rules: {
      ...graphql.configs['flat/schema-all'].rules,
      ...graphql.configs['flat/schema-relay'].rules,

      // The schema is the contract: arguments and fields need a description, too.
      '@graphql-eslint/require-description': [
        'error',
        {
          types: true,
          DirectiveDefinition: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
        },
      ],

      // Types and fields have the order of the upstream's reference, so that both can be compared.
      '@graphql-eslint/alphabetize': 'off',

      // Short descriptions are inline, longer ones are blocks. The rule allows only one style.
      '@graphql-eslint/description-style': 'off',

      // Short lists are not connections: events, ports, names. The other checks of the rule apply.
      '@graphql-eslint/relay-edge-types': ['error', { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false }],

      // Because id is for Relay's objects, other ids have the name of their object, as cvmId and
      // workspaceId.
      '@graphql-eslint/no-typename-prefix': 'off',

      // Relay identifies objects by id alone, without their type. Only a Node may have an id. Add
      // new types without an id here.
      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          exceptions: {
            types: [
              'ComposeFile',
              'CvmConnection',
              'CvmEdge',
              'CvmLogs',
              'CvmNode',
              'CvmOs',
              'CvmProgress',
              'Gpu',
              'GpuConfig',
              'HostedVm',
              'HourlyRate',
              'KmsInfo',
              'ManagedUser',
              'PageInfo',
              'PortMapping',
              'PublicUrl',
              'VmConfiguration',
              'VmEvent',
              'Workspace',
            ],
          },
        },
      ],
    },
  },
];
