# Renders Liquid cases with ruby-liquid: reads {"tests": [{template, data, templates}]} and writes the
# same with what it gives, "result", or "invalid" with "why" where it refuses; and with how much there
# was to do, "work", and the largest value that a name was given, "largest", of which the result need
# show nothing. What is given to a render is also seen by snippets that are `render`ed, as Dult has it.

require 'json'
require 'liquid'
require 'time'
require 'timeout'

CASE_SECONDS = 5

class Snippets
  def initialize(sources)
    @sources = sources || {}
  end

  def read_template_file(name)
    @sources.fetch(name) { raise Liquid::FileSystemError, "No such template '#{name}'" }
  end
end

$work = $largest = 0

def size_of(value)
  value.is_a?(String) ? value.bytesize : value.is_a?(Array) ? value.sum(32) { |each| size_of(each) } : 32
end

module Worked
  def render_to_output_buffer(context, output)
    $work += nodelist.length
    super
  end
end
Liquid::BlockBody.prepend(Worked)

module Named
  def render_to_output_buffer(context, output)
    given = super
    size = size_of(context.scopes.last[@to.respond_to?(:name) ? @to.name : @to])
    $work += size / 64
    $largest = [$largest, size].max
    given
  end
end
[Liquid::Capture, Liquid::Assign].each { |tag| tag.prepend(Named) }

def render(test)
  data = test['data'] || {}
  template = Liquid::Template.parse(test['template'], error_mode: :strict, line_numbers: true)
  context = Liquid::Context.build(
    environments: JSON.parse(JSON.dump(data)), static_environments: data, rethrow_errors: true,
    registers: { file_system: Snippets.new(test['templates']) }
  )
  context.strict_filters = true
  template.render(context).force_encoding('UTF-8')
end

def answer(test)
  $work = $largest = 0
  { 'result' => Timeout.timeout(CASE_SECONDS) { render(test) } }
rescue StandardError, SystemStackError => e
  { 'invalid' => true, 'why' => "#{e.class}: #{e.message}"[0, 200] }
end

tests = JSON.parse($stdin.read).fetch('tests')
puts JSON.dump('version' => Liquid::VERSION, 'tests' => tests.map { |test| test.merge(answer(test), 'work' => $work, 'largest' => $largest) })
