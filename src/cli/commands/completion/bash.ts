import { completionCommand } from '../../completion-command.js'

export default completionCommand('bash')
